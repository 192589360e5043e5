using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Deit.Train.Runs;

/// <summary>One epoch of a run as its log keeps it.</summary>
internal sealed record LogRow
{
    /// <summary>The columns every log has, in their order; <see cref="Further"/> ones follow.</summary>
    public static readonly ImmutableArray<string> Columns =
    [
        "epoch",
        "step",
        "train_loss",
        "val_loss",
        "val_top1",
        "val_top5",
        "lr",
        "images_per_second",
        "data_wait",
        "seconds",
    ];

    /// <summary>A further column of every run since it is known: bytes that the run holds on its device.</summary>
    public const string DeviceBytes = "device_bytes";

    /// <summary>The epoch, counted from 0.</summary>
    public required int Epoch { get; init; }

    /// <summary>Optimizer steps since the run began.</summary>
    public required long Step { get; init; }

    /// <summary>The epoch's mean training loss.</summary>
    public required double TrainLoss { get; init; }

    /// <summary>The validation loss; null where the epoch was not validated.</summary>
    public double? ValLoss { get; init; }

    /// <summary>Top-1 accuracy in percent; null where the epoch was not validated.</summary>
    public double? ValTop1 { get; init; }

    /// <summary>Top-5 accuracy in percent; null where the epoch was not validated.</summary>
    public double? ValTop5 { get; init; }

    /// <summary>The learning rate in force.</summary>
    public required double Lr { get; init; }

    /// <summary>Training images a second, validation left out.</summary>
    public required double ImagesPerSecond { get; init; }

    /// <summary>The share of the training time that the device waited for pictures, 0 to 1.</summary>
    public required double DataWait { get; init; }

    /// <summary>Seconds the epoch took, validation included.</summary>
    public required double Seconds { get; init; }

    /// <summary>Columns of this run beyond the usual ones, such as the teacher's accuracy: plain snake_case names.</summary>
    public ImmutableSortedDictionary<string, double> Further { get; init; } =
        ImmutableSortedDictionary<string, double>.Empty;

    /// <summary>A cell by its column; null where the row has none.</summary>
    /// <param name="column">One of <see cref="Columns"/> or a key of <see cref="Further"/>.</param>
    public double? this[string column] =>
        column switch
        {
            "epoch" => Epoch,
            "step" => Step,
            "train_loss" => TrainLoss,
            "val_loss" => ValLoss,
            "val_top1" => ValTop1,
            "val_top5" => ValTop5,
            "lr" => Lr,
            "images_per_second" => ImagesPerSecond,
            "data_wait" => DataWait,
            "seconds" => Seconds,
            _ => Further.TryGetValue(column, out double value) ? value : null,
        };

    /// <summary>
    /// The row as one line of JSON. Missing cells are null. NaN and the infinities are strings, as JSON has no numbers
    /// for them.
    /// </summary>
    internal string ToJson()
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            foreach (string column in Columns.Concat(Further.Keys))
            {
                if (this[column] is not { } value)
                    json.WriteNull(column);
                else if (double.IsFinite(value))
                    json.WriteNumber(column, value);
                else
                    json.WriteString(column, value.ToString(CultureInfo.InvariantCulture));
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Reads a line that <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">The line is not a whole row.</exception>
    internal static LogRow FromJson(string line)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(line);
            Dictionary<string, double> cells = [];
            foreach (JsonProperty cell in json.RootElement.EnumerateObject())
            {
                if (cell.Value.ValueKind == JsonValueKind.String)
                    cells[cell.Name] = double.Parse(cell.Value.GetString()!, CultureInfo.InvariantCulture);
                else if (cell.Value.ValueKind != JsonValueKind.Null)
                    cells[cell.Name] = cell.Value.GetDouble();
            }
            return new()
            {
                Epoch = checked((int)cells["epoch"]),
                Step = checked((long)cells["step"]),
                TrainLoss = cells["train_loss"],
                ValLoss = Optional("val_loss"),
                ValTop1 = Optional("val_top1"),
                ValTop5 = Optional("val_top5"),
                Lr = cells["lr"],
                ImagesPerSecond = cells["images_per_second"],
                DataWait = cells["data_wait"],
                Seconds = cells["seconds"],
                Further = cells
                    .Where(cell => !Columns.Contains(cell.Key))
                    .ToImmutableSortedDictionary(StringComparer.Ordinal),
            };

            double? Optional(string column) => cells.TryGetValue(column, out double value) ? value : null;
        }
        catch (Exception error)
            when (error is JsonException or KeyNotFoundException or InvalidOperationException or OverflowException)
        {
            throw new FormatException(error.Message, error);
        }
    }
}
