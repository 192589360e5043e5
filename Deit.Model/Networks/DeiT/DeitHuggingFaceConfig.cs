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

    public bool QkvBias { get; set; } = true;

    public int? NumLabels { get; set; }

    /// <summary>The class names by index, which JSON writes as text.</summary>
    [JsonPropertyName("id2label")]
    public Dictionary<string, string>? IdToLabel { get; set; }

    /// <summary>The index of each class name. Only the library itself reads it.</summary>
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
                throw new DeitException($"it has {actual}, expected {expected}; no other is computed.");
        }
    }

    /// <summary>The name of each class. Without names they are LABEL_0, LABEL_1 and so on; without a number either
    /// there are two, the library's default.</summary>
    /// <exception cref="DeitException">A label is missing.</exception>
    public string[] Labels()
    {
        int count = IdToLabel?.Count ?? NumLabels ?? 2;
        if (count is < 1 or > 1_000_000)
            throw new DeitException($"it has {count} labels, expected 1 to 1000000.");
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i =>
                    IdToLabel is null ? $"LABEL_{i}"
                    : IdToLabel.TryGetValue($"{i}", out string? label) ? label
                    : throw new DeitException($"its id2label lacks '{i}', expected all of 0 to {count - 1}.")
                ),
        ];
    }
}

/// <summary>The JSON form of transformers' file, generated at build time.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(DeitHuggingFaceConfig))]
internal sealed partial class DeitHuggingFaceJson : JsonSerializerContext;
