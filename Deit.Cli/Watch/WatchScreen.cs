using Deit.Cli.Terminal;
using Deit.Model.Text;
using Deit.Train.Reporting;
using Deit.Train.Runs;
using Spectre.Console;

namespace Deit.Cli.Watch;

/// <summary>The curves of a run on a terminal, drawn anew when something has changed; elsewhere a line for each epoch.</summary>
internal sealed class WatchScreen
{
    private const string Between = "  ";
    private readonly bool _plain;
    private int _printed;
    private string _status = "";

    /// <summary>Shows on the standard output.</summary>
    /// <param name="plain">True for lines on a terminal, too.</param>
    public WatchScreen(bool plain) => _plain = plain;

    /// <summary>Columns of the terminal; 0 without one.</summary>
    public static int Width => ConsoleReport.Screen()?.Profile.Width ?? 0;

    /// <summary>Shows the state of a run.</summary>
    /// <param name="rows">The epochs so far.</param>
    /// <param name="status">A sentence on where it stands.</param>
    /// <param name="head">Lines that stand above.</param>
    public void Show(IReadOnlyList<LogRow> rows, string status, IReadOnlyList<string> head)
    {
        if (!_plain && ConsoleReport.Screen() is { } console)
            Draw(console, rows, status, head);
        else
            Lines(rows, status, head);
    }

    /// <summary>The line of an epoch.</summary>
    public static string Line(LogRow row) => string.Join(Between, Parts(row));

    private static string[] Parts(LogRow row) =>
        [
            $"epoch {row.Epoch + 1}",
            $"train loss {Report.Number(row.TrainLoss, "F4")}",
            $"val loss {Number(row.ValLoss, "F4")}",
            $"top-1 {Number(row.ValTop1 * 100, "F1")} %",
            $"top-5 {Number(row.ValTop5 * 100, "F1")} %",
            $"{Report.Number(row.ImagesPerSecond, "F0")} images/s",
            $"lr {Report.Number(row.Lr, "0.00e-00")}",
        ];

    // As many parts on a line as it holds.
    private static IEnumerable<string> Fit(IEnumerable<string> parts, int width)
    {
        string line = "";
        foreach (string part in parts)
        {
            if (line.Length > 0 && line.Length + Between.Length + part.Length > width)
            {
                yield return line;
                line = "";
            }
            line += line.Length > 0 ? Between + part : part;
        }
        yield return line;
    }

    private void Lines(IReadOnlyList<LogRow> rows, string status, IReadOnlyList<string> head)
    {
        if (_printed == 0 && _status.Length == 0)
            foreach (string line in head)
                Output.Line(line);
        // A run that was resumed from an earlier point has fewer rows than before.
        if (rows.Count < _printed)
            _printed = 0;
        foreach (LogRow row in rows.Skip(_printed))
            Output.Line(Line(row));
        _printed = rows.Count;
        if (status != _status)
            Output.Line($"Run      {status}");
        _status = status;
    }

    /// <summary>Draws on a terminal.</summary>
    /// <param name="console">The terminal.</param>
    /// <param name="rows">The epochs so far.</param>
    /// <param name="status">A sentence on where it stands.</param>
    /// <param name="head">Lines that stand above.</param>
    internal static void Draw(
        IAnsiConsole console,
        IReadOnlyList<LogRow> rows,
        string status,
        IReadOnlyList<string> head
    )
    {
        // Spectre's own Clear also deletes the lines that were scrolled away, which are the user's. Some terminals move a
        // screen that is cleared whole (2J) among these, so that each drawing would push the user's out.
        if (console.Profile.Capabilities.Ansi)
            console.Write(new ControlCode("\u001b[H\u001b[J"));
        else
            console.Clear(home: true);
        foreach (string line in head.Append($"Run      {status}"))
            console.WriteLine(Printable.Line(line));
        if (rows.Count > 0)
            // The last column stays free: writing it would wrap on some terminals.
            foreach (string line in Fit(Parts(rows[^1]), console.Profile.Width - 1))
                console.WriteLine(line);
        int width = Math.Clamp(console.Profile.Width - 15, 10, 150);
        bool unicode = console.Profile.Capabilities.Unicode;
        Chart("train loss", row => row.TrainLoss, Color.Blue);
        Chart("val loss", row => row.ValLoss, Color.Yellow);
        Chart("top-1 %", row => row.ValTop1 * 100, Color.Green);
        Chart("images/s", row => row.ImagesPerSecond, Color.Aqua);

        void Chart(string name, Func<LogRow, double?> of, Color color)
        {
            double[] values = [.. rows.Select(row => of(row) ?? double.NaN)],
                finite = [.. values.Where(double.IsFinite)];
            if (finite.Length == 0)
                return;
            const int Height = 4;
            string[] lines = TextChart.Draw(values, width, Height, unicode);
            string[] margins = [Figure(finite.Max()), name, "", Figure(finite.Min())];
            console.WriteLine();
            for (int i = 0; i < Height; i++)
            {
                console.Write(new Text($"{margins[i], 12}  "));
                console.Write(new Text(lines[i], new Style(color)));
                console.WriteLine();
            }
        }

        static string Figure(double value) => Report.Number(value, "G4");
    }

    private static string Number(double? value, string format) => Report.Number(value ?? double.NaN, format);
}
