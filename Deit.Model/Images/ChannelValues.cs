using System.Text.Json;
using System.Text.Json.Serialization;

namespace Deit.Model.Images;

/// <summary>A number for each channel; in JSON a list of three, as timm writes it.</summary>
/// <param name="Red">For the red channel.</param>
/// <param name="Green">For the green channel.</param>
/// <param name="Blue">For the blue channel.</param>
[JsonConverter(typeof(ChannelValuesConverter))]
public readonly record struct ChannelValues(float Red, float Green, float Blue)
{
    /// <summary>Mean of ImageNet's training pixels, scaled to 0..1.</summary>
    public static ChannelValues ImageNetMean => new(0.485f, 0.456f, 0.406f);

    /// <summary>Standard deviation of ImageNet's training pixels, scaled to 0..1.</summary>
    public static ChannelValues ImageNetStandardDeviation => new(0.229f, 0.224f, 0.225f);

    /// <summary>The number of a channel: 0 is red.</summary>
    public float this[int channel] =>
        channel switch
        {
            0 => Red,
            1 => Green,
            2 => Blue,
            _ => throw new ArgumentOutOfRangeException(nameof(channel)),
        };
}

internal sealed class ChannelValuesConverter : JsonConverter<ChannelValues>
{
    public override ChannelValues Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        Expect(reader.TokenType == JsonTokenType.StartArray);
        Span<float> values = stackalloc float[3];
        foreach (ref float value in values)
        {
            Expect(reader.Read() && reader.TokenType == JsonTokenType.Number);
            value = reader.GetSingle();
        }
        Expect(reader.Read() && reader.TokenType == JsonTokenType.EndArray);
        return new ChannelValues(values[0], values[1], values[2]);

        static void Expect(bool condition)
        {
            if (!condition)
                throw new JsonException("Expected a list of three numbers.");
        }
    }

    public override void Write(Utf8JsonWriter writer, ChannelValues value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        for (int i = 0; i < 3; i++)
            writer.WriteNumberValue(value[i]);
        writer.WriteEndArray();
    }
}
