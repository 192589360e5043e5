using System.Text.Json;
using System.Text.Json.Serialization;

namespace Deit.Bench.Reports;

/// <summary>Reads and writes rows. The first name of a row tells its kind: <c>op</c> or <c>model</c>.</summary>
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
