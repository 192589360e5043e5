namespace Deit.Bench.Reports;

/// <summary>An op at a shape.</summary>
/// <param name="Op">The op.</param>
/// <param name="Shape">Its extents.</param>
/// <param name="Precision">The arithmetic.</param>
/// <param name="Milliseconds">The time of a run.</param>
/// <param name="Spread">The distance of the repetitions' quartiles, as a share of the median.</param>
/// <param name="ShareOfBest">The rate as a share of the device's best product, or of its copy.</param>
/// <param name="GigaFlopsPerSecond">GFLOP/s of an op that arithmetic bounds.</param>
/// <param name="GigaBytesPerSecond">GB/s of an op that memory bounds.</param>
/// <param name="Flops">Floating-point operations of a run.</param>
/// <param name="Bytes">Bytes that a run must move.</param>
internal sealed record OpRow(
    string Op,
    string Shape,
    string Precision,
    double Milliseconds,
    double Spread,
    double ShareOfBest,
    double? GigaFlopsPerSecond = null,
    double? GigaBytesPerSecond = null,
    double? Flops = null,
    double? Bytes = null
) : IBenchRow
{
    public const string Task = "op";

    /// <summary>The op that reads and writes each byte once, and so shows the speed of memory.</summary>
    public const string Copy = "copy";

    RowKey IBenchRow.Key => new(Op, Shape, Task, Precision);

    double IBenchRow.Rate => GigaFlopsPerSecond ?? GigaBytesPerSecond ?? (1000 / Milliseconds);

    string IBenchRow.Unit =>
        GigaFlopsPerSecond is not null ? "GFLOP/s"
        : GigaBytesPerSecond is not null ? "GB/s"
        : "runs/s";
}
