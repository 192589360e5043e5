using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Deit.Model.Images;

/// <summary>
/// Height and width in pixels. In JSON a number when both are equal, else <c>[height, width]</c>; as text <c>224</c> or
/// <c>224x160</c>.
/// </summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
[JsonConverter(typeof(ImageSizeConverter))]
public readonly record struct ImageSize(int Height, int Width)
{
    /// <summary>Pixels of a plane.</summary>
    public int Pixels => checked(Height * Width);

    /// <summary>The shorter of both.</summary>
    public int Shorter => Math.Min(Height, Width);

    /// <summary>The longer of both.</summary>
    public int Longer => Math.Max(Height, Width);

    /// <summary>A square.</summary>
    public static implicit operator ImageSize(int side) => new(side, side);

    /// <summary>Reads <c>224</c> or <c>224x160</c>.</summary>
    /// <exception cref="DeitException">The text is neither.</exception>
    public static ImageSize Parse(string text)
    {
        int[] numbers =
        [
            .. text.Split('x')
                .Select(part =>
                    int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1
                ),
        ];
        return numbers switch
        {
            [>= 1 and int side] => new ImageSize(side, side),
            [>= 1 and int height, >= 1 and int width] => new ImageSize(height, width),
            _ => throw new DeitException(
                DeitErrorKind.Usage,
                $"'{text}' is no image size; expected a side as 224, or height and width as 224x160."
            ),
        };
    }

    /// <inheritdoc/>
    public override string ToString() =>
        Height == Width
            ? Height.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{Height}x{Width}");
}

/// <summary>See <see cref="ImageSize"/>.</summary>
internal sealed class ImageSizeConverter : JsonConverter<ImageSize>
{
    private const string Expected = "an image size is a number or [height, width]";

    public override ImageSize Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Read(ref reader);

    /// <summary>A number, or a list of height and width or of one number for both, as other programs write it.</summary>
    internal static ImageSize Read(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            return Number(ref reader);
        List<int> numbers = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            numbers.Add(Number(ref reader));
        return numbers switch
        {
            [int side] => side,
            [int height, int width] => new ImageSize(height, width),
            _ => throw new JsonException(Expected),
        };
    }

    /// <summary>A whole number, also written as text or with a fraction of zero.</summary>
    internal static int Number(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out double number))
            return number == Math.Floor(number) && Math.Abs(number) <= int.MaxValue
                ? (int)number
                : throw new JsonException(Expected);
        return
            reader.TokenType == JsonTokenType.String
            && int.TryParse(reader.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out int side)
            ? side
            : throw new JsonException(Expected);
    }

    public override void Write(Utf8JsonWriter writer, ImageSize value, JsonSerializerOptions options)
    {
        if (value.Height == value.Width)
        {
            writer.WriteNumberValue(value.Height);
            return;
        }
        writer.WriteStartArray();
        writer.WriteNumberValue(value.Height);
        writer.WriteNumberValue(value.Width);
        writer.WriteEndArray();
    }
}
