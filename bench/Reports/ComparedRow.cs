namespace Deit.Bench.Reports;

/// <summary>The result of a comparison of two rates.</summary>
internal enum Verdict
{
    /// <summary>The spreads explain the difference.</summary>
    Same,
    Faster,
    Slower,
}

/// <summary>A measurement that both files have.</summary>
/// <param name="Key">The measurement.</param>
/// <param name="A">The first file's rate.</param>
/// <param name="B">The second file's rate.</param>
/// <param name="Unit">The unit of both rates.</param>
/// <param name="Spread">The sum of both spreads, which a difference must exceed.</param>
internal sealed record ComparedRow(RowKey Key, double A, double B, string Unit, double Spread)
{
    /// <summary>Above 1 where the second is faster.</summary>
    public double Ratio => B / A;

    public Verdict Verdict =>
        Ratio > 1 + Spread ? Verdict.Faster
        : 1 / Ratio > 1 + Spread ? Verdict.Slower
        : Verdict.Same;
}
