using System.CommandLine;
using Deit.Bench.Reports;
using Deit.Cli.Terminal;
using Deit.Train.Reporting;

namespace Deit.Cli.Commands.Bench;

/// <summary>
/// The flags of a bench that say where its report goes. Without them it is a table on the terminal; files are written beside that table.
/// </summary>
internal sealed class BenchOutput
{
    private readonly Option<string?> _json = new("--json")
    {
        Description = "write JSON to a file; without a file name print it",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<string?> _csv = new("--csv") { Description = "write CSV to a file" };
    private readonly Option<string?> _markdown = new("--markdown") { Description = "write the tables to a file" };
    private readonly Option<string?> _output = new("--output")
    {
        Description = "add the rows to DIR/NAME.json, .md, .csv and .roofline.svg",
    };
    private readonly Option<string?> _name = new("--name")
    {
        Description = "NAME of the files of --output; made of the device's name without it",
    };

    /// <param name="command">The bench.</param>
    /// <param name="joinsFolder">Whether its rows may be added to a folder of results.</param>
    public BenchOutput(Command command, bool joinsFolder = true)
    {
        foreach (Option option in (Option[])[_json, _csv, _markdown])
            command.Add(option);
        foreach (Option option in joinsFolder ? (Option[])[_output, _name] : [])
            command.Add(option);
    }

    /// <summary>True where the standard output is one JSON text, to which nothing may be added.</summary>
    public bool PrintsJson(ParseResult result) => result.GetResult(_json) is not null && result.GetValue(_json) is null;

    /// <summary>Whether one of the flags is given.</summary>
    public bool IsGiven(ParseResult result) =>
        new Option[] { _json, _csv, _markdown, _output, _name }.Any(option =>
            result.GetResult(option) is { Implicit: false }
        );

    /// <exception cref="DeitException">A file cannot be written.</exception>
    public void Write(ParseResult result, BenchReport report)
    {
        string? json = result.GetValue(_json);
        if (PrintsJson(result))
            Output.Text(report.ToJson());
        else
            Output.Text(BenchText.Of(report));
        if (json is not null)
            Report.WriteText(json, report.ToJson() + "\n");
        if (result.GetValue(_csv) is { } csv)
            Report.WriteText(csv, report.ToCsv());
        if (result.GetValue(_markdown) is { } markdown)
            Report.WriteText(markdown, BenchText.Of(report));
        if (result.GetResult(_output) is not null && result.GetValue(_output) is { } folder)
            BenchFolder.Add(folder, result.GetValue(_name), report);
    }
}
