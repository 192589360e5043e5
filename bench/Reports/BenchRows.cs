using System.Text.Json;
using System.Text.Json.Serialization;

namespace Deit.Bench.Reports;

/// <summary>What makes two rows of different files the same measurement.</summary>
/// <param name="Name">Op or model.</param>
/// <param name="Extent">Shape or batch.</param>
/// <param name="Task">infer or train; op for an op.</param>
/// <param name="Precision">The arithmetic.</param>
internal readonly record struct RowKey(string Name, string Extent, string Task, string Precision)
{
    public override string ToString() =>
        Task == OpRow.Task ? $"{Name} {Extent} {Precision}" : $"{Name} {Task} {Precision} batch {Extent}";
}

/// <summary>A measured row.</summary>
internal interface IBenchRow
{
    RowKey Key { get; }

    /// <summary>More is faster.</summary>
    double Rate { get; }

    string Unit { get; }

    /// <summary>Quartile to quartile, as a share of the median.</summary>
    double Spread { get; }
}

/// <summary>An op at a shape.</summary>
/// <param name="Op">What ran.</param>
/// <param name="Shape">At which extents.</param>
/// <param name="Precision">In which arithmetic.</param>
/// <param name="Milliseconds">A run.</param>
/// <param name="Spread">Of the repetitions.</param>
/// <param name="ShareOfBest">Of the device's best product, or of its copy.</param>
/// <param name="GigaFlopsPerSecond">GFLOP/s of what arithmetic bounds.</param>
/// <param name="GigaBytesPerSecond">GB/s of what memory bounds.</param>
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

    RowKey IBenchRow.Key => new(Op, Shape, Task, Precision);

    double IBenchRow.Rate => GigaFlopsPerSecond ?? GigaBytesPerSecond ?? (1000 / Milliseconds);

    string IBenchRow.Unit =>
        GigaFlopsPerSecond is not null ? "GFLOP/s"
        : GigaBytesPerSecond is not null ? "GB/s"
        : "runs/s";
}

/// <summary>A model at a batch.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Task">infer or train.</param>
/// <param name="Precision">In which arithmetic.</param>
/// <param name="Batch">Images a step.</param>
/// <param name="ImagesPerSecond">By the median step.</param>
/// <param name="Milliseconds">The median step.</param>
/// <param name="Spread">Of the repetitions.</param>
/// <param name="TeraFlopsPerSecond">TFLOP/s achieved: two operations a multiply-add.</param>
/// <param name="ShareOfBest">Of the device's best product in the same run.</param>
/// <param name="PeakBytes">Device memory at its peak.</param>
/// <param name="HostMicroseconds">What the host takes to submit a step.</param>
/// <param name="LogitsError">Of reduced precision: how far the logits of one picture are from fp32's, as a share of their norm.</param>
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
    double? LogitsError = null
) : IBenchRow
{
    public const string Infer = "infer",
        Train = "train";

    RowKey IBenchRow.Key => new(Model, $"{Batch}", Task, Precision);

    double IBenchRow.Rate => ImagesPerSecond;

    string IBenchRow.Unit => "images/s";
}

/// <summary>A row says what it is by its first name: <c>op</c> or <c>model</c>.</summary>
internal sealed class BenchRowConverter : JsonConverter<IBenchRow>
{
    public override IBenchRow Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using JsonDocument row = JsonDocument.ParseValue(ref reader);
        IBenchRow? read = row.RootElement.TryGetProperty("op", out _)
            ? row.Deserialize<OpRow>(options)
            : row.Deserialize<ModelRow>(options);
        return read ?? throw new JsonException("a row is empty");
    }

    public override void Write(Utf8JsonWriter writer, IBenchRow value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value, value.GetType(), options);
}
