using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>
/// The values in <c>config.json</c> of the Hugging Face library transformers that decide a DeiT's or ViT's logits. A
/// value that a file does not state has the library's default.
/// </summary>
internal sealed record DeitHuggingFaceConfig
{
    // Properties are set, not init: the generated reader forgets the default of an init property that a file lacks.
    public string[]? Architectures { get; set; }

    public string? ModelType { get; set; }

    public int HiddenSize { get; set; } = 768;

    public int NumHiddenLayers { get; set; } = 12;

    public int NumAttentionHeads { get; set; } = 12;

    public int IntermediateSize { get; set; } = 3072;

    public string HiddenAct { get; set; } = "gelu";

    public double LayerNormEps { get; set; } = 1e-12;

    public ImageSize ImageSize { get; set; } = 224;

    public ImageSize PatchSize { get; set; } = 16;

    public int NumChannels { get; set; } = 3;

    /// <summary>What the logits answer: one class of several, or another question.</summary>
    public string? ProblemType { get; set; }

    public bool QkvBias { get; set; } = true;

    public int? NumLabels { get; set; }

    /// <summary>The class names by index, which JSON writes as text.</summary>
    [JsonPropertyName("id2label")]
    [JsonConverter(typeof(IdToLabelConverter))]
    public Dictionary<string, string>? IdToLabel { get; set; }

    /// <summary>The index of each class name. It is read where the names by index are missing.</summary>
    [JsonPropertyName("label2id")]
    [JsonNumberHandling(JsonNumberHandling.AllowReadingFromString)]
    public Dictionary<string, int>? LabelToId { get; set; }

    /// <summary>Throws where the file asks for something that is not computed here.</summary>
    /// <param name="type">The <c>model_type</c> of its class.</param>
    /// <param name="architecture">Its class.</param>
    /// <exception cref="DeitException">It does.</exception>
    public void Check(string type, string architecture)
    {
        Require(ModelType == type, $"model_type '{ModelType}'", $"'{type}' of a {architecture}");
        Require(HiddenAct == "gelu", $"hidden_act '{HiddenAct}'", "'gelu', the exact one");
        Require(NumChannels == 3, $"num_channels {NumChannels}", "3");
        Require(
            ProblemType is null or "single_label_classification",
            $"problem_type '{ProblemType}'",
            "'single_label_classification', one class a picture"
        );
        Require(QkvBias, "qkv_bias false", "true");
        Require(PatchSize.Height == PatchSize.Width, $"patch_size {PatchSize}", "a square");
        Require(
            HiddenSize > 0 && IntermediateSize > 0,
            $"hidden_size {HiddenSize} and intermediate_size {IntermediateSize}",
            "sizes above 0"
        );

        static void Require(bool condition, string actual, string expected)
        {
            if (!condition)
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"it has {actual}, expected {expected}; no other is computed."
                );
        }
    }

    /// <summary>The name of each class. Without names they are LABEL_0, LABEL_1 and so on; without a number either
    /// there are two, the library's default.</summary>
    /// <exception cref="DeitException">A label is missing.</exception>
    public string[] Labels()
    {
        Dictionary<string, string>? names = IdToLabel ?? Inverted(LabelToId);
        int count = names?.Count ?? NumLabels ?? 2;
        if (count is < 1 or > 1_000_000)
            throw new DeitException(DeitErrorKind.Data, $"it has {count} labels, expected 1 to 1000000.");
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i =>
                    names is null ? $"LABEL_{i}"
                    : names.TryGetValue($"{i}", out string? label) ? label
                    : throw new DeitException(
                        DeitErrorKind.Data,
                        $"its {(IdToLabel is null ? "label2id" : "id2label")} lacks '{i}', expected all of 0 to {count - 1}."
                    )
                ),
        ];
    }

    private static Dictionary<string, string>? Inverted(Dictionary<string, int>? labels)
    {
        if (labels is null)
            return null;
        Dictionary<string, string> names = new(StringComparer.Ordinal);
        foreach ((string label, int index) in labels)
            if (!names.TryAdd($"{index}", label))
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"its label2id gives the index {index} to '{names[$"{index}"]}' and to '{label}'."
                );
        return names;
    }
}

/// <summary>
/// The class names by index. Transformers writes an object whose keys are the indices as text; other programs write a list, and names that
/// are numbers.
/// </summary>
internal sealed class IdToLabelConverter : JsonConverter<Dictionary<string, string>>
{
    public override Dictionary<string, string> Read(
        ref Utf8JsonReader reader,
        Type typeToConvert,
        JsonSerializerOptions options
    )
    {
        bool list = reader.TokenType == JsonTokenType.StartArray;
        if (!list && reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("id2label is neither an object nor a list");
        Dictionary<string, string> names = new(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType is not (JsonTokenType.EndArray or JsonTokenType.EndObject))
        {
            string index = $"{names.Count}";
            if (!list)
            {
                index = reader.GetString()!;
                reader.Read();
            }
            string name = reader.TokenType switch
            {
                JsonTokenType.String => reader.GetString()!,
                JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
                JsonTokenType.True => "true",
                JsonTokenType.False => "false",
                _ => throw new JsonException($"id2label has no text as the name of class {index}"),
            };
            if (!names.TryAdd(index, name))
                throw new JsonException($"id2label names class {index} twice");
        }
        return names;
    }

    public override void Write(Utf8JsonWriter writer, Dictionary<string, string> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach ((string index, string name) in value)
            writer.WriteString(index, name);
        writer.WriteEndObject();
    }
}

/// <summary>The JSON form of transformers' file, generated at build time.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowReadingFromString
)]
[JsonSerializable(typeof(DeitHuggingFaceConfig))]
internal sealed partial class DeitHuggingFaceJson : JsonSerializerContext
{
    /// <summary>For files: names of classes are readable in any script.</summary>
    public static DeitHuggingFaceJson Readable() =>
        new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
