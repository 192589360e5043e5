using System.Globalization;
using BenchmarkDotNet.Running;
using Deit.Bench.Host;

if (args is ["onnxruntime", .. string[] options])
    return OnnxRuntimePeer.Run(options);
switch (args)
{
    case ["write", string name, string folder]:
        return FallbackBench.Write(name, folder);
    case ["first", string runtime, string folder, string picture]:
        return FallbackBench.First(runtime, folder, picture);
    case ["compare", .. string[] folders]:
        return FallbackBench.Compare(folders);
    case ["fallback", string folder, string rounds, string seconds]:
        return FallbackBench.Time(
            folder,
            int.Parse(rounds, CultureInfo.InvariantCulture),
            double.Parse(seconds, CultureInfo.InvariantCulture)
        );
}
BenchmarkSwitcher.FromAssembly(System.Reflection.Assembly.GetExecutingAssembly()).Run(args);
return 0;
