namespace Deit.Gpu;

/// <summary>What each dispatch of a graph took when run alone.</summary>
public sealed class GraphProfile
{
    internal GraphProfile(IReadOnlyList<Dispatch> dispatches, double[] nanoseconds) =>
        Rows = [.. dispatches.Zip(nanoseconds, (dispatch, time) => new Row(dispatch.Label, dispatch.Kernel.Name, time, dispatch.Cost))];

    /// <summary>A dispatch with its time and cost.</summary>
    /// <param name="Label">Scope and kernel.</param>
    /// <param name="Kernel">The shader.</param>
    /// <param name="Nanoseconds">Device time.</param>
    /// <param name="Cost">Arithmetic and traffic.</param>
    public sealed record Row(string Label, string Kernel, double Nanoseconds, Cost Cost)
    {
        /// <summary>Arithmetic rate in GFLOP/s.</summary>
        public double GigaFlops => Cost.Flops / Nanoseconds;

        /// <summary>Memory rate in GB/s, each tensor counted once.</summary>
        public double GigaBytes => Cost.Bytes / Nanoseconds;
    }

    /// <summary>One row a dispatch, in order.</summary>
    public IReadOnlyList<Row> Rows { get; }

    /// <summary>The sum of all times in nanoseconds.</summary>
    public double TotalNanoseconds => Rows.Sum(row => row.Nanoseconds);

    /// <summary>Times and costs summed by kernel, slowest first.</summary>
    public IReadOnlyList<Row> ByKernel() =>
        [.. Rows.GroupBy(row => row.Kernel)
            .Select(group => new Row($"{group.Count()} x", group.Key, group.Sum(row => row.Nanoseconds), new Cost(group.Sum(row => row.Cost.Flops), group.Sum(row => row.Cost.Bytes))))
            .OrderByDescending(row => row.Nanoseconds)];
}
