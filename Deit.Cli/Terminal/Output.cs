using Deit.Model.Text;
using Deit.Train.Reporting;

namespace Deit.Cli.Terminal;

/// <summary>
/// Lines on the console. Names of files and classes are in many of them, and those come from others: what a terminal would
/// obey is shown by number, and one call makes one line.
/// </summary>
internal static class Output
{
    /// <summary>The number of this process where several train together, which errors then name.</summary>
    public static int? Rank { get; set; }

    /// <summary>An answer, on the standard output.</summary>
    /// <param name="line">The line, without its end.</param>
    /// <exception cref="OutputException">The output cannot be written.</exception>
    public static void Line(string line = "") => Console.Out.WriteLine(Printable.Line(line));

    /// <summary>Text of several lines, on the standard output or beside the answer.</summary>
    /// <param name="text">The text; its last line may be without an end.</param>
    /// <param name="aside">True for the error stream.</param>
    /// <exception cref="OutputException">The output cannot be written.</exception>
    public static void Text(string text, bool aside = false)
    {
        foreach (string line in text.TrimEnd('\n').Split('\n'))
            (aside ? Console.Error : Console.Out).WriteLine(Printable.Line(line.TrimEnd('\r')));
    }

    /// <summary>
    /// A row of comma-separated values, on the standard output. A file or a program gets names as they are, with any line
    /// breaks in quotes; a terminal shows them as elsewhere.
    /// </summary>
    /// <param name="cells">The values.</param>
    /// <exception cref="OutputException">The output cannot be written.</exception>
    public static void Row(params IEnumerable<string> cells) =>
        Console.Out.Write(Report.CsvRow(Console.IsOutputRedirected ? cells : cells.Select(Printable.Line)));

    /// <summary>
    /// Something to know beside the answer, on the error stream, so that programs get the answer alone. It is dropped
    /// where the error stream cannot be written.
    /// </summary>
    /// <param name="line">The line, without its end.</param>
    public static void Aside(string line) => Console.Error.WriteLine(Printable.Line(line));

    /// <summary>Something that the user may want to act on, on the error stream.</summary>
    /// <param name="sentence">A sentence.</param>
    public static void Notice(string sentence) => Aside($"Notice   {sentence}");

    /// <summary>What went wrong, on the error stream.</summary>
    /// <param name="sentence">A sentence.</param>
    public static void Error(string sentence) => Aside($"deit{(Rank is { } rank ? $", rank {rank}" : "")}: {sentence}");
}
