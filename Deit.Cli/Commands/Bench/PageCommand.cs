using System.CommandLine;
using Deit.Bench.Reports;
using Deit.Cli.Help;
using Deit.Cli.Terminal;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench page</c>: the page of all measured devices.</summary>
internal static class PageCommand
{
    public static Command Create()
    {
        Option<string> results = new("--results")
        {
            Description = "folder of measured devices",
            DefaultValueFactory = _ => "bench/results",
        };
        ExplainedCommand page = new(
            "page",
            $"Write {BenchFolder.Page} and the roofline pictures of a folder of measured devices.",
            new Example("deit bench page", "Writes the page of bench/results."),
            new Example("deit bench page --results my-results", "Writes that of another folder.")
        )
        {
            results,
        };
        page.SetAction(result =>
        {
            (string path, int devices) = BenchFolder.WritePage(result.GetValue(results)!);
            Output.Line($"{path}: {devices} devices");
            return 0;
        });
        return page;
    }
}
