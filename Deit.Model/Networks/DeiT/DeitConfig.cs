using System.Text.Json.Serialization;
using Deit.Gpu;

namespace Deit.Model;

/// <summary>The architecture of a DeiT: everything that decides names and shapes of its parameters.</summary>
public sealed record DeitConfig : NetworkConfig
{
    /// <summary>Width D of the token embedding; a multiple of <see cref="NumHeads"/>.</summary>
    public required int EmbedDim { get; init; }

    /// <summary>Number of transformer blocks.</summary>
    public required int Depth { get; init; }

    /// <summary>Number of attention heads.</summary>
    public required int NumHeads { get; init; }

    /// <summary>Side of a patch in pixels.</summary>
    public int PatchSize { get; init; } = 16;

    /// <summary>Width of the MLP's hidden layer over the width of the embedding.</summary>
    public double MlpRatio { get; init; } = 4;

    /// <summary>True with a distillation token and its head.</summary>
    public bool Distilled { get; init; }

    /// <summary>Added to the variance in every layer norm.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-6;

    /// <summary>Tokens before the patches: class, and distillation where there is one.</summary>
    [JsonIgnore]
    public int PrefixTokens => Distilled ? 2 : 1;

    /// <summary>Rows and columns of patches.</summary>
    [JsonIgnore]
    public (int Height, int Width) Grid => (InputSize.Height / PatchSize, InputSize.Width / PatchSize);

    /// <summary>Number of patches P.</summary>
    [JsonIgnore]
    public int Patches => Grid.Height * Grid.Width;

    /// <summary>Length of the token sequence T.</summary>
    [JsonIgnore]
    public int Tokens => Patches + PrefixTokens;

    /// <summary>Width of the MLP's hidden layer.</summary>
    [JsonIgnore]
    public int HiddenDim => (int)(EmbedDim * MlpRatio);

    /// <summary>The <see cref="MlpRatio"/> that makes exactly that <see cref="HiddenDim"/>.</summary>
    internal static double RatioOf(int embedDim, int hiddenDim)
    {
        double ratio = (double)hiddenDim / embedDim;
        return (int)(embedDim * ratio) == hiddenDim ? ratio : Math.BitIncrement(ratio);
    }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string Family => "DeiT";

    /// <inheritdoc/>
    [JsonIgnore]
    public override IReadOnlyList<string> Heads => Distilled ? ["head", "head_dist"] : ["head"];

    /// <inheritdoc/>
    internal override IEnumerable<ParameterSpec> Specs() => VisionTransformer.Specs(this);

    /// <inheritdoc/>
    internal override INetwork Create(GpuDevice device) => new VisionTransformer(device, this);

    /// <inheritdoc/>
    public override DeitConfig Validate()
    {
        Require(EmbedDim is >= 1 and <= 16384, "embed_dim", EmbedDim, "1 to 16384");
        Require(Depth is >= 1 and <= 1024, "depth", Depth, "1 to 1024");
        Require(NumHeads >= 1 && EmbedDim % NumHeads == 0, "num_heads", NumHeads, $"a divisor of embed_dim {EmbedDim}");
        Require(
            EmbedDim / NumHeads <= AttentionOp.MaximumHeadDimension,
            "embed_dim / num_heads",
            EmbedDim / NumHeads,
            $"at most {AttentionOp.MaximumHeadDimension}"
        );
        Require(PatchSize is >= 1 and <= 1024, "patch_size", PatchSize, "1 to 1024");
        Require(
            InputSize.Shorter >= PatchSize
                && InputSize.Longer <= 16384
                && InputSize.Height % PatchSize == 0
                && InputSize.Width % PatchSize == 0,
            "input_size",
            InputSize,
            $"a multiple of patch_size {PatchSize}"
        );
        Require(MlpRatio is > 0 and <= 64 && HiddenDim >= 1, "mlp_ratio", MlpRatio, "above 0, at most 64");
        Require(NumClasses is >= 1 and <= 1_000_000, "num_classes", NumClasses, "1 to 1000000");
        Require(LayerNormEpsilon is > 0 and < 1, "layer_norm_epsilon", LayerNormEpsilon, "between 0 and 1");
        return this;
    }
}
