using System.Text.Json;
using System.Text.Json.Serialization;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>
/// <c>config.json</c> of the Hugging Face library transformers, as much of it as decides a DeiT's or ViT's logits. What a file does not say has
/// the library's default.
/// </summary>
internal sealed record HuggingFaceConfig
{
    /// <summary>The classes of transformers whose weights are read and written.</summary>
    public const string Vit = "ViTForImageClassification",
        ClassTokenOnly = "DeiTForImageClassification",
        WithTeacher = "DeiTForImageClassificationWithTeacher";

    // set, not init: of an init property that a file lacks, the generated reader forgets the default.
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

    /// <summary>The other way round, for the library alone.</summary>
    [JsonPropertyName("label2id")]
    [JsonNumberHandling(JsonNumberHandling.AllowReadingFromString)]
    public Dictionary<string, int>? LabelToId { get; set; }

    /// <summary>The prefix of all parameters but those of heads.</summary>
    [JsonIgnore]
    public string Prefix => $"{ModelType}.";

    /// <summary>What a folder of transformers says of its model.</summary>
    /// <param name="root">The object in its <c>config.json</c>.</param>
    /// <param name="folder">Where the preprocessing's file lies.</param>
    /// <exception cref="DeitException">It is of another architecture, or does not say how pictures are prepared.</exception>
    /// <exception cref="JsonException">A value is of the wrong kind.</exception>
    public static ModelDescription Describe(JsonElement root, string folder)
    {
        HuggingFaceConfig config = root.Deserialize(HuggingFaceJson.Default.HuggingFaceConfig)!;
        string architecture = config.Architectures is [{ } only]
            ? only
            : throw new DeitException(
                $"it names {config.Architectures?.Length ?? 0} architectures, expected one of {Vit}, {ClassTokenOnly}, {WithTeacher}; save a model that classifies."
            );
        string type = architecture switch
        {
            Vit => "vit",
            ClassTokenOnly or WithTeacher => "deit",
            _ => throw new DeitException(
                $"it is a {architecture}, expected {Vit}, {ClassTokenOnly} or {WithTeacher}; save a model that classifies."
            ),
        };
        Require(config.ModelType == type, $"model_type '{config.ModelType}'", $"'{type}' of a {architecture}");
        Require(config.HiddenAct == "gelu", $"hidden_act '{config.HiddenAct}'", "'gelu', the exact one");
        Require(config.NumChannels == 3, $"num_channels {config.NumChannels}", "3");
        Require(config.QkvBias, "qkv_bias false", "true");
        Require(config.PatchSize.Height == config.PatchSize.Width, $"patch_size {config.PatchSize}", "a square");
        Require(
            config.HiddenSize > 0 && config.IntermediateSize > 0,
            $"hidden_size {config.HiddenSize} and intermediate_size {config.IntermediateSize}",
            "sizes above 0"
        );
        string[] labels = config.Labels();
        return ModelDescription.Named(
            new ModelDescription
            {
                Config = new DeitConfig
                {
                    EmbedDim = config.HiddenSize,
                    Depth = config.NumHiddenLayers,
                    NumHeads = config.NumAttentionHeads,
                    MlpRatio = DeitConfig.RatioOf(config.HiddenSize, config.IntermediateSize),
                    PatchSize = config.PatchSize.Height,
                    InputSize = config.ImageSize,
                    NumClasses = labels.Length,
                    Distilled = type == "deit",
                    LayerNormEpsilon = config.LayerNormEps,
                },
                Labels = labels,
                Preprocess = HuggingFacePreprocess.Read(folder, type, config.ImageSize),
                HeadFusion = architecture == ClassTokenOnly ? HeadFusion.ClassToken : HeadFusion.MeanLogits,
            }
        );

        static void Require(bool condition, string actual, string expected)
        {
            if (!condition)
                throw new DeitException($"it has {actual}, expected {expected}; no other is computed.");
        }
    }

    /// <summary>The configuration by which transformers builds a model.</summary>
    /// <exception cref="DeitException">It has no class for such a model.</exception>
    public static HuggingFaceConfig Of(ModelDescription description)
    {
        if (description.Config is not DeitConfig config)
            throw new DeitException(
                $"A {description.Config.Family} has no Hugging Face layout here; expected a DeiT, or choose timm or onnx."
            );
        IReadOnlyList<string> labels = description.Labels;
        return new HuggingFaceConfig
        {
            Architectures =
            [
                !config.Distilled ? Vit
                : description.HeadFusion == HeadFusion.ClassToken ? ClassTokenOnly
                : WithTeacher,
            ],
            ModelType = config.Distilled ? "deit" : "vit",
            HiddenSize = config.EmbedDim,
            NumHiddenLayers = config.Depth,
            NumAttentionHeads = config.NumHeads,
            IntermediateSize = config.HiddenDim,
            LayerNormEps = config.LayerNormEpsilon,
            ImageSize = config.InputSize,
            PatchSize = config.PatchSize,
            IdToLabel = labels.Index().ToDictionary(pair => $"{pair.Index}", pair => pair.Item),
            // Of equal labels the last index stands, as in a Python dictionary.
            LabelToId = labels
                .Index()
                .GroupBy(pair => pair.Item)
                .ToDictionary(same => same.Key, same => same.Last().Index),
        };
    }

    // The library's own defaults: two classes, LABEL_0 and LABEL_1.
    private string[] Labels()
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

/// <summary>The JSON forms of transformers' files, generated at build time.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(HuggingFaceConfig))]
[JsonSerializable(typeof(HuggingFacePreprocess))]
[JsonSerializable(typeof(TimmHubConfig))]
internal sealed partial class HuggingFaceJson : JsonSerializerContext;
