using BenchmarkDotNet.Running;
using Deit.Bench.Host;

if (args is ["onnxruntime", .. string[] options])
    return OnnxRuntimePeer.Run(options);
BenchmarkSwitcher.FromAssembly(System.Reflection.Assembly.GetExecutingAssembly()).Run(args);
return 0;
