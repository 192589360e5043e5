namespace Deit.Gpu;

/// <summary>The time of each dispatch of a graph when run alone.</summary>
public sealed class GraphProfile
{
    internal GraphProfile(IReadOnlyList<Dispatch> dispatches, double[] nanoseconds) =>
        Rows = [
            .. dispatches.Zip(
                nanoseconds,
                (dispatch, time) => new Row(dispatch.Label, dispatch.Kernel.Name, time, dispatch.Cost)
            ),
        ];

    /// <summary>A dispatch with its time and cost.</summary>
    /// <param name="Label">Scope and kernel.</param>
    /// <param name="Kernel">The shader.</param>
    /// <param name="Nanoseconds">Device time.</param>
    /// <param name="Cost">Arithmetic and traffic.</param>
    public sealed record Row(string Label, string Kernel, double Nanoseconds, Cost Cost);

    /// <summary>One row a dispatch, in order.</summary>
    public IReadOnlyList<Row> Rows { get; }
}
