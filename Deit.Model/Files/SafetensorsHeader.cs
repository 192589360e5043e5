using System.Text.Json;

namespace Deit.Model.Files;

/// <summary>
/// Parses the JSON header of a safetensors file. The input is hostile: everything is checked, and every fault is a
/// <see cref="FormatException"/> whose message completes "the file is damaged: ...".
/// </summary>
internal static class SafetensorsHeader
{
    /// <summary>The longest header accepted; a million tensors need about 100 MB, a DeiT 20 kB.</summary>
    public const int MaximumBytes = 16 << 20;

    /// <summary>The name of the free-form part of the header.</summary>
    public const string MetadataName = "__metadata__";

    private static readonly string[] DTypeNames = Enum.GetNames<SafetensorsDType>();

    /// <summary>Parses and checks a header.</summary>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataBytes">Bytes of the file behind the header.</param>
    /// <exception cref="FormatException">The header breaks a rule of the format.</exception>
    public static (Dictionary<string, string> Metadata, List<SafetensorsEntry> Entries) Parse(
        ReadOnlySpan<byte> json,
        long dataBytes
    )
    {
        try
        {
            Utf8JsonReader reader = new(json, new JsonReaderOptions { MaxDepth = 4 });
            return Parse(ref reader, dataBytes);
        }
        catch (JsonException error)
        {
            throw new FormatException($"its header is no valid JSON ({error.Message.TrimEnd('.')})", error);
        }
        catch (InvalidOperationException error) // a string that is no valid Unicode
        {
            throw new FormatException("its header contains a string that is no valid Unicode", error);
        }
    }

    private static (Dictionary<string, string>, List<SafetensorsEntry>) Parse(ref Utf8JsonReader reader, long dataBytes)
    {
        Dictionary<string, string>? metadata = null;
        List<SafetensorsEntry> entries = [];
        HashSet<string> names = [];
        Expect(ref reader, JsonTokenType.StartObject, "its header is no JSON object");
        while (NextProperty(ref reader) is { } name)
        {
            if (name == MetadataName)
            {
                if (metadata is not null)
                    throw new FormatException("it has metadata twice");
                metadata = ParseMetadata(ref reader);
                continue;
            }
            if (!names.Add(name))
                throw new FormatException($"the tensor '{name}' appears twice");
            entries.Add(ParseEntry(ref reader, name));
        }
        if (reader.Read()) // never true: the JSON reader itself refuses text behind the object
            throw new FormatException("its header goes on behind the JSON object");
        CheckLayout(entries, dataBytes);
        return (metadata ?? [], entries);
    }

    private static Dictionary<string, string> ParseMetadata(ref Utf8JsonReader reader)
    {
        Dictionary<string, string> metadata = [];
        Expect(ref reader, JsonTokenType.StartObject, "its metadata is no JSON object");
        while (NextProperty(ref reader) is { } key)
        {
            Expect(ref reader, JsonTokenType.String, $"its metadata '{key}' is no string");
            if (!metadata.TryAdd(key, reader.GetString()!))
                throw new FormatException($"its metadata '{key}' appears twice");
        }
        return metadata;
    }

    private static SafetensorsEntry ParseEntry(ref Utf8JsonReader reader, string name)
    {
        SafetensorsDType? dtype = null;
        long[]? shape = null,
            offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, $"the tensor '{name}' is no JSON object");
        while (NextProperty(ref reader) is { } field)
        {
            switch (field)
            {
                case "dtype" when dtype is null:
                    Expect(ref reader, JsonTokenType.String, $"the dtype of tensor '{name}' is no string");
                    dtype = ParseDType(reader.GetString()!, name);
                    break;
                case "shape" when shape is null:
                    shape = ParseNumbers(ref reader, $"the shape of tensor '{name}'");
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ParseNumbers(ref reader, $"the data_offsets of tensor '{name}'");
                    break;
                default:
                    throw new FormatException($"the tensor '{name}' has an unknown or repeated field '{field}'");
            }
        }
        if (dtype is not { } type || shape is null || offsets is not [long begin, long end])
            throw new FormatException($"the tensor '{name}' lacks one of dtype, shape and two data_offsets");

        long elements = 1,
            bytes;
        try
        {
            foreach (long extent in shape)
                elements = checked(elements * extent);
            bytes = checked(elements * type.ByteSize);
        }
        catch (OverflowException error)
        {
            throw new FormatException($"the shape of tensor '{name}' is too large", error);
        }
        if (begin > end || bytes != end - begin)
            throw new FormatException(
                $"the tensor '{name}' is {type}[{string.Join(", ", shape)}], {bytes} bytes, but its offsets {begin} to "
                    + $"{end} say otherwise"
            );
        return new SafetensorsEntry(name, type, shape, elements, begin, end);
    }

    private static SafetensorsDType ParseDType(string text, string name)
    {
        // Not Enum.Parse: that also takes numbers, lists and blanks.
        int type = Array.IndexOf(DTypeNames, text);
        if (type >= 0)
            return (SafetensorsDType)type;
        throw new FormatException($"the tensor '{name}' has the unknown dtype '{text}'");
    }

    private static long[] ParseNumbers(ref Utf8JsonReader reader, string what)
    {
        List<long> numbers = [];
        Expect(ref reader, JsonTokenType.StartArray, $"{what} is no list");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
                throw new FormatException($"{what} holds something else than whole numbers from 0");
            numbers.Add(number);
        }
        return [.. numbers];
    }

    private static void CheckLayout(List<SafetensorsEntry> entries, long dataBytes)
    {
        entries.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
        long end = 0;
        foreach (SafetensorsEntry entry in entries)
        {
            if (entry.Begin != end)
                throw new FormatException(
                    $"the tensor '{entry.Name}' begins at byte {entry.Begin} of the data, expected {end}: tensors must "
                        + "neither overlap nor leave holes"
                );
            end = entry.End;
        }
        if (end != dataBytes)
            throw new FormatException(
                end > dataBytes
                    ? $"it is cut short: its tensors need {end} bytes and it has {dataBytes}"
                    : $"its tensors end at byte {end} of the data and {dataBytes - end} more follow"
            );
    }

    private static string? NextProperty(ref Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType == JsonTokenType.PropertyName ? reader.GetString() : null;

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string fault)
    {
        if (!reader.Read() || reader.TokenType != type)
            throw new FormatException(fault);
    }
}
