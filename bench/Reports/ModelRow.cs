namespace Deit.Bench.Reports;

/// <summary>A model at a batch.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Task">infer or train.</param>
/// <param name="Precision">The arithmetic.</param>
/// <param name="Batch">Images a step.</param>
/// <param name="ImagesPerSecond">Images of the median step, a second.</param>
/// <param name="Milliseconds">The time of the median step.</param>
/// <param name="Spread">The distance of the repetitions' quartiles, as a share of the median.</param>
/// <param name="TeraFlopsPerSecond">TFLOP/s achieved: two operations a multiply-add.</param>
/// <param name="ShareOfBest">TFLOP/s as a share of the device's best product in the same run.</param>
/// <param name="PeakBytes">Device memory at its peak.</param>
/// <param name="HostMicroseconds">The time that the host takes to submit a step.</param>
/// <param name="LogitsError">
/// The error in reduced precision: the distance of the logits of one picture from those of fp32, as a share of their
/// norm.
/// </param>
/// <param name="CpuMillisecondsPerImage">
/// The processor time of the program, all threads together, while it was timed: milliseconds an image. A CPU driver computes in it.
/// </param>
/// <param name="Threads">The threads that another program was told to take; null where it was told nothing.</param>
internal sealed record ModelRow(
    string Model,
    string Task,
    string Precision,
    int Batch,
    double ImagesPerSecond,
    double Milliseconds,
    double Spread,
    double? TeraFlopsPerSecond = null,
    double? ShareOfBest = null,
    long? PeakBytes = null,
    double? HostMicroseconds = null,
    double? LogitsError = null,
    double? CpuMillisecondsPerImage = null,
    int? Threads = null
) : IBenchRow
{
    public const string Infer = "infer",
        Train = "train";

    RowKey IBenchRow.Key => new(Model, $"{Batch}", Task, Precision);

    double IBenchRow.Rate => ImagesPerSecond;

    string IBenchRow.Unit => "images/s";
}
