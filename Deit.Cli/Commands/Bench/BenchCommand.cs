using System.CommandLine;
using Deit.Bench.Reports;

namespace Deit.Cli.Commands.Bench;

/// <summary>
/// <c>deit bench</c>: how fast a device runs, and how fast the host feeds it. A bench is a file of this folder and a line here.
/// </summary>
internal static class BenchCommand
{
    public static Command Create() =>
        new("bench", "Measure the device, the host that feeds it, and methods on both.")
        {
            OpsCommand.Create(),
            ProductsCommand.Create(),
            ModelCommand.Create(ModelRow.Infer, "forward passes"),
            ModelCommand.Create(ModelRow.Train, "training steps"),
            ProfileCommand.Create(),
            CompareCommand.Create(),
            PageCommand.Create(),
            DataCommand.Create(),
            DistillationCommand.Create(),
        };
}
