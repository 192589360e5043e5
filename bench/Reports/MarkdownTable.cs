using System.Globalization;
using System.Text;

namespace Deit.Bench.Reports;

/// <summary>A table in Markdown whose columns are aligned, for a terminal too.</summary>
internal sealed class MarkdownTable(params string[] columns)
{
    private readonly List<string[]> _rows = [columns];

    public bool Empty => _rows.Count == 1;

    public void Add(params string[] cells) => _rows.Add(cells);

    public override string ToString()
    {
        int[] widths = [.. Enumerable.Range(0, columns.Length).Select(i => _rows.Max(row => row[i].Length))];
        StringBuilder text = new();
        foreach ((int index, string[] row) in _rows.Index())
        {
            text.Append("| ").AppendJoin(" | ", row.Select((cell, i) => cell.PadRight(widths[i]))).Append(" |\n");
            if (index == 0)
                text.Append("| ").AppendJoin(" | ", widths.Select(width => new string('-', width))).Append(" |\n");
        }
        return text.ToString();
    }

    /// <summary>A number with its significant digits.</summary>
    public static string Number(double value) =>
        value.ToString(
            value >= 100 ? "F0"
                : value >= 1 ? "F2"
                : "F4",
            CultureInfo.InvariantCulture
        );

    /// <summary>A share in percent.</summary>
    public static string Percent(double share, string format = "F0") =>
        $"{(100 * share).ToString(format, CultureInfo.InvariantCulture)} %";

    /// <summary>A spread, with a mark where it is too large to be trusted.</summary>
    public static string Spread(double spread) => Percent(spread, "F1") + (spread > IBenchRow.SteadySpread ? " !" : "");
}
