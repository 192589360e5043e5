using System.Globalization;
using System.Text.Json.Serialization;
using Deit.Gpu;
using Deit.Model.Files;
using Deit.Model.Networks;

namespace Deit.Model;

/// <summary>
/// The architecture of a vision transformer (Dosovitskiy et al., arXiv 2010.11929): patches and one token for each head
/// pass through blocks of attention and MLP. Networks with tokens can be asked for embeddings and attention.
/// </summary>
public abstract record TransformerConfig : NetworkConfig
{
    // In config.json the numbers stand in this order, before those of every network.

    /// <summary>Width D of the token embedding; a multiple of <see cref="NumHeads"/>.</summary>
    [JsonPropertyOrder(-7)]
    public required int EmbedDim { get; init; }

    /// <summary>Number of transformer blocks.</summary>
    [JsonPropertyOrder(-6)]
    public required int Depth { get; init; }

    /// <summary>Number of attention heads.</summary>
    [JsonPropertyOrder(-5)]
    public required int NumHeads { get; init; }

    /// <summary>Side of a patch in pixels.</summary>
    [JsonPropertyOrder(-4)]
    public int PatchSize { get; init; } = 16;

    /// <summary>Width of the MLP's hidden layer over the width of the embedding.</summary>
    [JsonPropertyOrder(-3)]
    public double MlpRatio { get; init; } = 4;

    /// <summary>Added to the variance in every layer norm.</summary>
    [JsonPropertyOrder(-1)]
    public double LayerNormEpsilon { get; init; } = 1e-6;

    /// <summary>Tokens before the patches, one for each head: class, and distillation where there is one.</summary>
    [JsonIgnore]
    public int PrefixTokens => Heads.Count;

    /// <summary>Rows and columns of patches.</summary>
    [JsonIgnore]
    public (int Height, int Width) Grid => (InputSize.Height / PatchSize, InputSize.Width / PatchSize);

    /// <summary>Number of patches P.</summary>
    [JsonIgnore]
    public int Patches => Grid.Height * Grid.Width;

    /// <summary>Length of the token sequence T.</summary>
    [JsonIgnore]
    public int Tokens => Patches + PrefixTokens;

    /// <summary>Tokens before the patches that have a row in the position embedding: all of them, unless a family says otherwise.</summary>
    [JsonIgnore]
    internal virtual int PrefixPositions => PrefixTokens;

    /// <summary>True where the output of each branch is multiplied by a factor a channel.</summary>
    [JsonIgnore]
    internal virtual bool HasLayerScale => false;

    /// <summary>Width of the MLP's hidden layer.</summary>
    [JsonIgnore]
    public int HiddenDim => (int)(EmbedDim * MlpRatio);

    /// <inheritdoc/>
    [JsonIgnore]
    internal override bool ComputesIn16Bits => true;

    /// <summary>The <see cref="MlpRatio"/> that makes exactly that <see cref="HiddenDim"/>.</summary>
    internal static double RatioOf(int embedDim, int hiddenDim)
    {
        double ratio = (double)hiddenDim / embedDim;
        return (int)(embedDim * ratio) == hiddenDim ? ratio : Math.BitIncrement(ratio);
    }

    /// <inheritdoc/>
    [JsonIgnore]
    internal override int BlockCount => Depth;

    /// <inheritdoc/>
    internal override int? BlockOf(string parameter) =>
        parameter.Split('.') is ["blocks", string block, ..] ? int.Parse(block, CultureInfo.InvariantCulture) : null;

    /// <inheritdoc/>
    internal override IEnumerable<ParameterSpec> Specs() => VisionTransformer.Specs(this);

    /// <inheritdoc/>
    internal override INetwork Create(GpuDevice device) => new VisionTransformer(device, this);

    /// <inheritdoc/>
    internal override IReadOnlyList<string> Onnx(OnnxNetwork network, string images) =>
        TransformerOnnx.Build(network, images, this);

    /// <inheritdoc/>
    internal override NetworkConfig With(ArchitectureOptions options)
    {
        _ = base.With(options with { PatchSize = null }); // refuses a distillation token, which not every family has
        return this with { PatchSize = options.PatchSize ?? PatchSize };
    }

    // The library transformers has another epsilon for the same weights.
    /// <inheritdoc/>
    internal override NetworkConfig AsPublished() =>
        (TransformerConfig)base.AsPublished() with
        {
            LayerNormEpsilon = 1e-6,
        };

    /// <inheritdoc/>
    internal override long MultiplyAdds()
    {
        long tokens = Tokens,
            dim = EmbedDim,
            hidden = HiddenDim;
        long patches = Patches * 3L * PatchSize * PatchSize * dim;
        long linear = tokens * ((4 * dim * dim) + (2 * dim * hidden)); // query, key, value, projection; both layers of the MLP
        long attention = 2 * tokens * tokens * dim; // Q K^T and P V, all heads together
        long heads = Heads.Count * dim * NumClasses;
        return patches + (Depth * (linear + attention)) + heads;
    }

    /// <inheritdoc/>
    public override TransformerConfig Validate()
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
