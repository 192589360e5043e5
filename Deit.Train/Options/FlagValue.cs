using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Deit.Model;
using Deit.Model.Images;

namespace Deit.Train.Options;

/// <summary>
/// Values of flags as text and as JSON. Enums and precisions have names, the same on the command line, in files and in messages:
/// <c>HeadFusion.MeanLogits</c> is <c>mean-logits</c>.
/// </summary>
internal static class FlagValue
{
    /// <summary>True of types whose values have names.</summary>
    public static bool IsNamed(Type type) => Bare(type) is { } bare && (bare.IsEnum || bare == typeof(Precision));

    /// <summary>The names of an enum's values, in the order of the values.</summary>
    public static IReadOnlyList<string> Names(Type type) => [.. Values(Bare(type)).Select(Name)];

    /// <summary>The name of an enum's value.</summary>
    public static string Name(Enum value)
    {
        string own = value.ToString();
        return value.GetType().GetField(own)?.GetCustomAttribute<ValueNameAttribute>()?.Name
            ?? JsonNamingPolicy.KebabCaseLower.ConvertName(own);
    }

    /// <summary>The text of a value, as the command line takes it; null of null.</summary>
    public static string? Text(object? value) =>
        value switch
        {
            null => null,
            Enum named => Name(named),
            Precision precision => precision.Name,
            _ => FormattableString.Invariant($"{value}"),
        };

    /// <summary>The value that a name stands for.</summary>
    /// <param name="type">An enum or <see cref="Precision"/>; either may be nullable.</param>
    /// <param name="name">The name.</param>
    /// <exception cref="DeitException">No value of the type has that name.</exception>
    public static object Parse(Type type, string name)
    {
        Type bare = Bare(type);
        return bare == typeof(Precision)
            ? Precision.Parse(name)
            : Values(bare).FirstOrDefault(value => Name(value) == name)
                ?? throw new DeitException(
                    DeitErrorKind.Usage,
                    $"'{name}' is no value of {bare.Name}; choose one of {string.Join(", ", Names(bare))}."
                );
    }

    /// <summary>The value that a text stands for, as the command line has it.</summary>
    /// <param name="flag">The flag.</param>
    /// <param name="text">The text; of a switch true or false.</param>
    /// <exception cref="DeitException">The flag has no such value.</exception>
    public static object FromText(Flag flag, string text)
    {
        const NumberStyles Whole = NumberStyles.AllowLeadingSign;
        CultureInfo invariant = CultureInfo.InvariantCulture;
        Type type = Bare(flag.Type);
        if (flag.Choices.Count > 0 && !flag.Choices.Contains(text))
            throw NoValue($"expected one of {string.Join(", ", flag.Choices)}");
        if (IsNamed(type))
            return Parse(type, text);
        if (type == typeof(ImageSize))
            return ImageSize.Parse(text);
        if (type == typeof(EpochList))
            return EpochList.Parse(text);
        if (type == typeof(bool))
            return bool.TryParse(text, out bool on) ? on : throw NoValue("expected true or false");
        if (type == typeof(int))
            return int.TryParse(text, Whole, invariant, out int number)
                ? number
                : throw NoValue("expected a whole number");
        if (type == typeof(long))
            return long.TryParse(text, Whole, invariant, out long number)
                ? number
                : throw NoValue("expected a whole number");
        if (type == typeof(double))
            return double.TryParse(text, NumberStyles.Float, invariant, out double number)
                ? number
                : throw NoValue("expected a number");
        return text;

        DeitException NoValue(string expected) =>
            new(DeitErrorKind.Usage, $"'{text}' was given for {flag.Name}, {expected}; correct it.");
    }

    /// <summary>The value in a file.</summary>
    /// <param name="type">The type of the flag's property.</param>
    /// <param name="value">The value; may be null.</param>
    public static JsonNode? ToJson(Type type, object? value) =>
        value is null ? null
        : IsNamed(type) ? JsonValue.Create(Text(value))
        : JsonSerializer.SerializeToNode(value, JsonOf(type));

    /// <summary>The value that a file has for a flag.</summary>
    /// <param name="flag">The flag.</param>
    /// <param name="json">The value in the file.</param>
    /// <param name="mayBeNull">False where null is an error.</param>
    /// <exception cref="JsonException">The flag has no such value.</exception>
    public static object? FromJson(Flag flag, JsonNode? json, bool mayBeNull)
    {
        try
        {
            if (json is null)
                return mayBeNull ? null : throw new JsonException();
            if (flag.Choices.Count > 0 && !flag.Choices.Contains(json.GetValue<string>()))
                throw new JsonException();
            return IsNamed(flag.Type) ? Parse(flag.Type, json.GetValue<string>()) : json.Deserialize(JsonOf(flag.Type));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            string expected = flag.Choices.Count > 0 ? $", expected one of {string.Join(", ", flag.Choices)}" : "";
            throw new JsonException(
                $"the value {json?.ToJsonString() ?? "null"} of '{flag.Key}' is none of its kind{expected}",
                error
            );
        }
    }

    // In the order of the values, without an array of a type that is only known when the program runs.
    private static IEnumerable<Enum> Values(Type type) =>
        Enum.GetNames(type).Select(name => (Enum)Enum.Parse(type, name));

    private static JsonTypeInfo JsonOf(Type type) =>
        FlagJson.Default.GetTypeInfo(Bare(type))
        ?? throw new InvalidOperationException(
            $"Flags cannot be {type.Name} in files; add the type to {nameof(FlagJson)}."
        );

    private static Type Bare(Type type) => Nullable.GetUnderlyingType(type) ?? type;
}

/// <summary>The types of flags' values in files, but for those with names.</summary>
[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(bool))]
[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(int[]))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(double))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(ImageSize))]
[JsonSerializable(typeof(EpochList))]
internal sealed partial class FlagJson : JsonSerializerContext;
