using System.CommandLine;
using Deit.Bench.Reports;
using Deit.Cli.Help;
using Deit.Cli.Terminal;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench compare</c>: two files of measurements.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        Argument<string> a = new("A")
        {
            Description = "JSON of bench ops, products, infer or train, or of a PyTorch run",
        };
        Argument<string> b = new("B") { Description = "another" };
        ExplainedCommand compare = new(
            "compare",
            "Compare two files of measurements row by row: faster, slower, or no different by the spread of both.",
            new Example("deit bench compare before.json after.json", "Tells whether a change made things faster."),
            new Example("deit bench compare card-a.json card-b.json", "Compares two cards."),
            new Example("deit bench compare torch.json ours.json", "Compares with a run of PyTorch.")
        )
        {
            a,
            b,
        };
        compare.SetAction(result =>
        {
            BenchReport first = BenchReport.Load(result.GetValue(a)!),
                second = BenchReport.Load(result.GetValue(b)!);
            Output.Text(new BenchComparison(first, second).ToString());
            return 0;
        });
        return compare;
    }
}
