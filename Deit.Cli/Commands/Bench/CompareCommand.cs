using System.CommandLine;
using Deit.Bench.Reports;
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
        Command compare = new(
            "compare",
            "Compare two files of measurements row by row: faster, slower, or no different by the spread of both."
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
