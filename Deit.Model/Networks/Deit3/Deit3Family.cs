using System.Text.Json.Serialization;
using Deit.Model.Images;

namespace Deit.Model.Networks;

/// <summary>DeiT-III (arXiv 2204.07118) by timm's names. The library transformers has no class for it.</summary>
internal sealed class Deit3Family : NetworkFamily
{
    private static readonly Dictionary<string, ReferenceModel> Known = new(StringComparer.Ordinal)
    {
        ["deit3_small_patch16_224"] = Deit3(384, 12, 6, 224),
        ["deit3_small_patch16_384"] = Deit3(384, 12, 6, 384),
        ["deit3_medium_patch16_224"] = Deit3(512, 12, 8, 224),
        ["deit3_base_patch16_224"] = Deit3(768, 12, 12, 224),
        ["deit3_base_patch16_384"] = Deit3(768, 12, 12, 384),
        ["deit3_large_patch16_224"] = Deit3(1024, 24, 16, 224),
        ["deit3_large_patch16_384"] = Deit3(1024, 24, 16, 384),
    };

    /// <inheritdoc/>
    public override string Name => "DeiT-III";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, ReferenceModel> Models => Known;

    /// <inheritdoc/>
    public override ConfigFormat Format { get; } = new("deit3", typeof(Deit3Config), Deit3Json.Default);

    /// <inheritdoc/>
    public override NetworkConfig? FromWeights(IReadOnlyDictionary<string, long[]> shapes)
    {
        if (!shapes.ContainsKey("blocks.0.ls1.gamma"))
            return null;
        Deit3Config template = new()
        {
            EmbedDim = 0,
            Depth = 0,
            NumHeads = 0,
        };
        try
        {
            return TransformerShapes.Tell(template, positions: 0, shapes);
        }
        catch (DeitException error)
        {
            throw new DeitException(
                DeitErrorKind.Data,
                $"with LayerScale they are a DeiT-III's, and {error.Message.TrimEnd('.')}",
                error
            );
        }
    }

    /// <summary>The repository of the paper has <c>blocks.i.gamma_1</c> where timm has <c>blocks.i.ls1.gamma</c>.</summary>
    /// <inheritdoc/>
    public override string? ReferenceName(string name) =>
        !name.StartsWith("blocks.", StringComparison.Ordinal) ? null
        : name.EndsWith(".gamma_1", StringComparison.Ordinal) ? $"{name[..^"gamma_1".Length]}ls1.gamma"
        : name.EndsWith(".gamma_2", StringComparison.Ordinal) ? $"{name[..^"gamma_2".Length]}ls2.gamma"
        : null;

    // timm, deit.py: ImageNet's mean and deviation, crop_pct 0.9 at 224 pixels and 1.0 at 384.
    private static ReferenceModel Deit3(int embedDim, int depth, int heads, int size) =>
        new(
            new Deit3Config
            {
                EmbedDim = embedDim,
                Depth = depth,
                NumHeads = heads,
                InputSize = size,
            },
            new Preprocess { InputSize = size, CropRatio = size == 384 ? 1 : 0.9 }
        );
}

/// <summary>The JSON form of the configuration, generated at build time; the writer of <c>config.json</c> has the options.</summary>
[JsonSerializable(typeof(Deit3Config))]
internal sealed partial class Deit3Json : JsonSerializerContext;
