using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Deit.Train.Options;

/// <summary>Some epochs, equal to a list of the same. In JSON an array; as text <c>90,180,270</c>.</summary>
/// <param name="epochs">The epochs.</param>
[JsonConverter(typeof(EpochListConverter))]
internal sealed class EpochList(params IReadOnlyList<int> epochs) : IEquatable<EpochList>
{
    /// <summary>The epochs.</summary>
    public IReadOnlyList<int> Epochs { get; } = epochs;

    /// <summary>Reads <c>90,180,270</c>; spaces separate epochs, too.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="DeitException">The text is no list of whole numbers from 0 on.</exception>
    public static EpochList Parse(string text)
    {
        char[] separators = [',', ' '];
        List<int> epochs = [];
        foreach (string part in text.Split(separators, StringSplitOptions.RemoveEmptyEntries))
            epochs.Add(
                int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int epoch)
                    ? epoch
                    : throw new DeitException(
                        DeitErrorKind.Usage,
                        $"'{part}' of '{text}' is no epoch; expected whole numbers, as 90,180,270."
                    )
            );
        return new EpochList(epochs);
    }

    /// <inheritdoc/>
    public bool Equals(EpochList? other) => other is not null && Epochs.SequenceEqual(other.Epochs);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as EpochList);

    /// <inheritdoc/>
    public override int GetHashCode() => Epochs.Aggregate(0, (hash, epoch) => HashCode.Combine(hash, epoch));

    /// <inheritdoc/>
    public override string ToString() => string.Join(',', Epochs);
}

/// <summary>See <see cref="EpochList"/>.</summary>
internal sealed class EpochListConverter : JsonConverter<EpochList>
{
    public override EpochList Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(JsonSerializer.Deserialize(ref reader, FlagJson.Default.Int32Array) ?? throw new JsonException());

    public override void Write(Utf8JsonWriter writer, EpochList value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, [.. value.Epochs], FlagJson.Default.Int32Array);
}
