using System.Text.Json.Serialization;

namespace Deit.Model.Networks;

/// <summary>DeiT (arXiv 2012.12877), with the distillation token and without.</summary>
internal sealed class DeitFamily : NetworkFamily
{
    private static readonly Dictionary<string, ReferenceModel> Known = new(StringComparer.Ordinal)
    {
        ["deit_tiny_patch16_224"] = Deit(192, 3),
        ["deit_small_patch16_224"] = Deit(384, 6),
        ["deit_base_patch16_224"] = Deit(768, 12),
        ["deit_base_patch16_384"] = Deit(768, 12, size: 384),
        ["deit_tiny_distilled_patch16_224"] = Deit(192, 3, distilled: true),
        ["deit_small_distilled_patch16_224"] = Deit(384, 6, distilled: true),
        ["deit_base_distilled_patch16_224"] = Deit(768, 12, distilled: true),
        ["deit_base_distilled_patch16_384"] = Deit(768, 12, size: 384, distilled: true),
    };

    /// <summary>The names of all DeiT.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <inheritdoc/>
    public override string Name => "DeiT";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, ReferenceModel> Models => Known;

    /// <inheritdoc/>
    public override ConfigFormat Format { get; } = new("deit", typeof(DeitConfig), DeitJson.Default);

    /// <inheritdoc/>
    public override string FreeFlags => "--embed-dim, --depth and --num-heads";

    /// <inheritdoc/>
    public override HuggingFaceLayout HuggingFace { get; } = new DeitHuggingFace();

    /// <summary>The configuration of a DeiT.</summary>
    /// <exception cref="DeitException">There is no DeiT of that name.</exception>
    public static DeitConfig Get(string name) =>
        Known.TryGetValue(name, out ReferenceModel? model)
            ? (DeitConfig)model.Config
            : throw new DeitException(
                DeitErrorKind.Usage,
                $"There is no model '{name}'; choose one of {string.Join(", ", Names)}, "
                    + "or give --embed-dim, --depth and --num-heads."
            );

    /// <inheritdoc/>
    public override NetworkConfig? Free(ArchitectureOptions options) =>
        (options.EmbedDim, options.Depth, options.NumHeads) switch
        {
            (null, null, null) => null,
            ({ } dim, { } depth, { } heads) => new DeitConfig
            {
                EmbedDim = dim,
                Depth = depth,
                NumHeads = heads,
            },
            _ => throw new DeitException(
                DeitErrorKind.Usage,
                "A free configuration was given in part; give --embed-dim, --depth and --num-heads together, "
                    + "or --model alone."
            ),
        };

    /// <inheritdoc/>
    public override NetworkConfig? FromWeights(IReadOnlyDictionary<string, long[]> shapes)
    {
        bool distilled = shapes.ContainsKey("dist_token");
        return TransformerShapes.Tell(
            new DeitConfig
            {
                EmbedDim = 0,
                Depth = 0,
                NumHeads = 0,
                Distilled = distilled,
            },
            positions: distilled ? 2 : 1,
            shapes
        );
    }

    private static ReferenceModel Deit(int embedDim, int heads, int size = 224, bool distilled = false) =>
        ReferenceModel.Of(
            new DeitConfig
            {
                EmbedDim = embedDim,
                Depth = 12,
                NumHeads = heads,
                InputSize = size,
                Distilled = distilled,
            }
        );
}

/// <summary>The JSON form of the configuration, generated at build time; the writer of <c>config.json</c> has the options.</summary>
[JsonSerializable(typeof(DeitConfig))]
internal sealed partial class DeitJson : JsonSerializerContext;
