using System.Globalization;
using System.Text;
using System.Text.Json;
using Deit.Model.Text;
using Deit.Train.Reporting;
using Spectre.Console;

namespace Deit.Cli.Terminal;

/// <summary>Figures on the console: tables and JSON.</summary>
internal static class ConsoleReport
{
    /// <summary>A table whose first column holds names and whose others hold numbers.</summary>
    public static Table Table(params IEnumerable<string> columns)
    {
        Table table = new() { Border = TableBorder.Simple };
        foreach (string column in columns)
            table.AddColumn(
                new TableColumn(new Text(Printable.Line(column)))
                {
                    Alignment = table.Columns.Count == 0 ? Justify.Left : Justify.Right,
                    NoWrap = true,
                }
            );
        return table;
    }

    /// <summary>Adds a row of plain text: labels may hold brackets.</summary>
    public static void Row(this Table table, params IEnumerable<string> cells) =>
        table.AddRow(cells.Select(cell => new Text(Printable.Line(cell))));

    /// <summary>Prints a table; into a file or pipe as wide as it needs to be.</summary>
    public static void Print(Table table)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        if (Console.IsOutputRedirected)
            console.Profile.Width = 10_000;
        console.Write(table);
    }

    /// <summary>The terminal for drawings; null where the standard output is a file or a pipe.</summary>
    public static IAnsiConsole? Screen() =>
        Console.IsOutputRedirected
            ? null
            : AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });

    /// <summary>Prints an object as JSON. What a terminal would obey is escaped as JSON has it, so that the text stays
    /// JSON.</summary>
    /// <param name="value">The object.</param>
    /// <param name="options">Its form; null for that of reports. The encoder must be a relaxed one.</param>
    /// <exception cref="OutputException">The output cannot be written.</exception>
    public static void PrintJson(object value, JsonSerializerOptions? options = null)
    {
        StringBuilder json = new();
        foreach (char letter in JsonSerializer.Serialize(value, options ?? Report.Json))
            // Up to the tilde the serializer has escaped what must be, and ends of lines are between the values.
            _ =
                letter > '~' && !char.IsSurrogate(letter) && Printable.Line(letter.ToString()).Length > 1
                    ? json.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}")
                    : json.Append(letter);
        Output.Text(json.ToString());
    }
}
