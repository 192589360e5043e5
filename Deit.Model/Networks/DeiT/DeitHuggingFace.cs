using System.Text.Json;

namespace Deit.Model.Networks;

/// <summary>DeiT and ViT in the files of the Hugging Face library transformers.</summary>
internal sealed class DeitHuggingFace : HuggingFaceLayout
{
    private const string Vit = "ViTForImageClassification",
        ClassTokenOnly = "DeiTForImageClassification",
        WithTeacher = "DeiTForImageClassificationWithTeacher",
        Token = "embeddings.cls_token",
        DistillationHead = "head_dist.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes { get; } = [Vit, ClassTokenOnly, WithTeacher];

    /// <inheritdoc/>
    public override HuggingFaceModel Read(JsonElement root, string architecture)
    {
        DeitHuggingFaceConfig config = root.Deserialize(DeitHuggingFaceJson.Default.DeitHuggingFaceConfig)!;
        string type = architecture == Vit ? "vit" : "deit";
        config.Check(type, architecture);
        string[] labels = config.Labels();
        return new HuggingFaceModel(
            type,
            new DeitConfig
            {
                EmbedDim = config.HiddenSize,
                Depth = config.NumHiddenLayers,
                NumHeads = config.NumAttentionHeads,
                MlpRatio = TransformerConfig.RatioOf(config.HiddenSize, config.IntermediateSize),
                PatchSize = config.PatchSize.Height,
                InputSize = config.ImageSize,
                NumClasses = labels.Length,
                Distilled = type == "deit",
                LayerNormEpsilon = config.LayerNormEps,
            },
            labels,
            architecture == ClassTokenOnly ? HeadFusion.ClassToken : HeadFusion.MeanLogits
        );
    }

    /// <inheritdoc/>
    public override HuggingFaceTarget Write(NetworkConfig config, IReadOnlyList<string> labels, HeadFusion fusion)
    {
        DeitConfig deit = (DeitConfig)config;
        string architecture =
            !deit.Distilled ? Vit
            : fusion == HeadFusion.ClassToken ? ClassTokenOnly
            : WithTeacher;
        DeitHuggingFaceConfig file = new()
        {
            Architectures = [architecture],
            ModelType = deit.Distilled ? "deit" : "vit",
            HiddenSize = deit.EmbedDim,
            NumHiddenLayers = deit.Depth,
            NumAttentionHeads = deit.NumHeads,
            IntermediateSize = deit.HiddenDim,
            LayerNormEps = deit.LayerNormEpsilon,
            ImageSize = deit.InputSize,
            PatchSize = deit.PatchSize,
            IdToLabel = labels.Index().ToDictionary(pair => $"{pair.Index}", pair => pair.Item),
            // Of equal labels the last index counts, as in a Python dictionary.
            LabelToId = labels
                .Index()
                .GroupBy(pair => pair.Item)
                .ToDictionary(same => same.Key, same => same.Last().Index),
        };
        string head = architecture == WithTeacher ? DeitHuggingFaceNames.ClassHead : DeitHuggingFaceNames.OnlyHead;
        return new HuggingFaceTarget(
            stream => JsonSerializer.Serialize(stream, file, DeitHuggingFaceJson.Readable().DeitHuggingFaceConfig),
            name =>
                architecture == ClassTokenOnly && name.StartsWith(DistillationHead, StringComparison.Ordinal)
                    ? []
                    : DeitHuggingFaceNames.ToTheirs(name, $"{file.ModelType}.", head)
        );
    }

    /// <inheritdoc/>
    public override string? Prefix(IEnumerable<string> names) =>
        names.FirstOrDefault(name => name.EndsWith(Token, StringComparison.Ordinal))?[..^Token.Length];

    /// <inheritdoc/>
    public override (string Name, int Part, int Parts)? FromTheirs(string name, string prefix) =>
        DeitHuggingFaceNames.FromTheirs(name, prefix);

    // A pooler lies in files of the bare model. It has no part in classifying.
    /// <inheritdoc/>
    public override bool Ignores(string name, string prefix) =>
        name.StartsWith($"{prefix}pooler.", StringComparison.Ordinal);

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, long[]> Zeros(
        IReadOnlyDictionary<string, long[]> shapes,
        IReadOnlyCollection<string> theirs
    )
    {
        // DeiTForImageClassification has a distillation token and no head for it.
        Dictionary<string, long[]> zeros = [];
        if (shapes.ContainsKey("dist_token") && theirs.Contains($"{DeitHuggingFaceNames.OnlyHead}.weight"))
            foreach (string part in (string[])["weight", "bias"])
                if (
                    shapes.TryGetValue($"head.{part}", out long[]? shape)
                    && !shapes.ContainsKey(DistillationHead + part)
                )
                    zeros.Add(DistillationHead + part, shape);
        return zeros;
    }
}
