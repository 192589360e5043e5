using System.Text;

namespace Deit.Bench.Reports;

/// <summary>
/// Compares two reports row by row. The second is faster or slower where the rates differ by more than both spreads added up, and by more
/// than 1 %. The spreads are added because both medians may be off, one to each side. 1 % is how far runs of the same program differ,
/// however steady each is.
/// </summary>
internal sealed class BenchComparison
{
    private const double LeastDifference = 0.01;
    private readonly BenchReport _a,
        _b;

    public BenchComparison(BenchReport a, BenchReport b)
    {
        (_a, _b) = (a, b);
        // A file that was put together may hold a measurement twice: the faster one stands.
        Dictionary<RowKey, IBenchRow> first = ByKey(a),
            second = ByKey(b);
        Rows = [.. first.Where(row => second.ContainsKey(row.Key)).Select(row => Compare(row.Value, second[row.Key]))];
        OnlyA = [.. first.Keys.Where(key => !second.ContainsKey(key))];
        OnlyB = [.. second.Keys.Where(key => !first.ContainsKey(key))];
    }

    /// <summary>The measurements that both have, in the first one's order.</summary>
    public IReadOnlyList<ComparedRow> Rows { get; }

    /// <summary>The measurements that the second lacks.</summary>
    public IReadOnlyList<RowKey> OnlyA { get; }

    /// <summary>The measurements that the first lacks.</summary>
    public IReadOnlyList<RowKey> OnlyB { get; }

    public override string ToString()
    {
        StringBuilder text = new();
        Line($"A        {_a.Device}, {_a.Driver}{Version(_a)}");
        Line($"B        {_b.Device}, {_b.Driver}{Version(_b)}");
        if (_a.Compiled is { } before && _b.Compiled is { } after)
            text.Append(KernelText.Compare(before, after));
        if (Rows.Count + OnlyA.Count + OnlyB.Count == 0)
            return text.ToString();
        if (Rows.Count > 0)
        {
            text.Append('\n').Append(Table()).Append('\n');
        }
        Line(
            $"B is faster in {Count(Verdict.Faster)}, slower in {Count(Verdict.Slower)}, "
                + $"no different in {Count(Verdict.Same)} of {Rows.Count} rows."
        );
        Line(
            "Faster or slower: the rates differ by more than both spreads (quartile to quartile) added up, and by more than 1 %."
        );
        Missing("A", OnlyA);
        Missing("B", OnlyB);
        return text.ToString();

        void Line(string line) => text.Append(line).Append('\n');

        void Missing(string name, IReadOnlyList<RowKey> keys)
        {
            if (keys.Count > 0)
                Line($"Only in {name}: {string.Join("; ", keys)}.");
        }
    }

    private MarkdownTable Table()
    {
        MarkdownTable table = new(
            "measured",
            "shape or batch",
            "task",
            "precision",
            "A",
            "B",
            "unit",
            "B / A",
            "spread",
            "B is"
        );
        foreach (ComparedRow row in Rows)
            table.Add(
                row.Key.Name,
                row.Key.Extent,
                row.Key.Task,
                row.Key.Precision,
                MarkdownTable.Number(row.A),
                MarkdownTable.Number(row.B),
                row.Unit,
                MarkdownTable.Number(row.Ratio),
                MarkdownTable.Percent(row.Spread, "F1"),
                row.Verdict switch
                {
                    Verdict.Faster => "faster",
                    Verdict.Slower => "slower",
                    _ => "no different",
                }
            );
        return table;
    }

    private int Count(Verdict verdict) => Rows.Count(row => row.Verdict == verdict);

    private static string Version(BenchReport report) => report.Version is { } version ? $", version {version}" : "";

    private static Dictionary<RowKey, IBenchRow> ByKey(BenchReport report) =>
        report.Rows.GroupBy(row => row.Key).ToDictionary(same => same.Key, same => same.MaxBy(row => row.Rate)!);

    private static ComparedRow Compare(IBenchRow a, IBenchRow b) =>
        new(a.Key, a.Rate, b.Rate, a.Unit, Math.Max(LeastDifference, a.Spread + b.Spread));
}
