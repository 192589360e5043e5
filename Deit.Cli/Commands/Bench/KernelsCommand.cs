using System.CommandLine;
using Deit.Bench.Suites;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Gpu;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench kernels</c>: what a driver's compiler makes of the kernels.</summary>
internal static class KernelsCommand
{
    public static Command Create()
    {
        ExplainedCommand kernels = new(
            "kernels",
            "Compile every kernel that a model may run, and show what the driver says of it: registers, spills, occupancy, cycles.",
            new Example("deit bench kernels", "Shows the kernels of DeiT-B, those with most against them first."),
            new Example(
                "deit bench kernels --model deit_tiny_patch16_224 --task infer --precisions fp32",
                "Takes the kernels of one step in one arithmetic."
            ),
            new Example("deit bench kernels --json after.json", "Keeps the figures for deit bench compare.")
        );
        OptionBinder<KernelBenchOptions> binder = new(kernels);
        BenchOutput output = new(kernels, joinsFolder: false);
        kernels.SetAction(result =>
        {
            KernelBenchOptions options = binder.Bind(result);
            options.Config();
            GpuInfo info = GpuDevice.FindToInspect(options.Device.Selector);
            output.Write(result, KernelBench.Run(info, options, Output.Aside));
            return 0;
        });
        return kernels;
    }
}
