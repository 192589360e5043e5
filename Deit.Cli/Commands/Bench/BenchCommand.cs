using System.CommandLine;
using Deit.Bench.Reports;
using Deit.Cli.Help;

namespace Deit.Cli.Commands.Bench;

/// <summary>
/// <c>deit bench</c>: how fast a device runs, and how fast the host feeds it. A bench is a file of this folder and a line here.
/// </summary>
internal static class BenchCommand
{
    public static Command Create() =>
        new ExplainedCommand(
            "bench",
            "Measure the device, the host that feeds it, and methods on both.",
            new Example(
                "deit bench infer --models deit_tiny_patch16_224",
                "Tells how many pictures a second a model answers."
            ),
            new Example("deit bench train --models deit_tiny_patch16_224", "Tells how many it trains on."),
            new Example("deit bench data --data shoes", "Tells how many the host decodes and augments.")
        )
        {
            OpsCommand.Create(),
            ProductsCommand.Create(),
            ModelCommand.Create(ModelRow.Infer, "forward passes"),
            ModelCommand.Create(ModelRow.Train, "training steps"),
            ProfileCommand.Create(),
            KernelsCommand.Create(),
            VectorsCommand.Create(),
            NetworkCommand.Create(),
            CompareCommand.Create(),
            PageCommand.Create(),
            DataCommand.Create(),
            DistillationCommand.Create(),
        };
}
