namespace Deit.Model;

/// <summary>How a token's attention lies on the picture. Two are equal that have equal numbers on equal grids.</summary>
/// <param name="Values">
/// [Height, Width], row by row from the top left: the share of each patch, at least 0. The shares add up to 1 less the
/// token's attention to itself and to the other token before the patches.
/// </param>
/// <param name="Width">Columns of patches.</param>
/// <param name="Height">Rows of patches.</param>
public sealed record AttentionMap(float[] Values, int Width, int Height)
{
    /// <summary>True of a map with the same numbers and sides.</summary>
    public bool Equals(AttentionMap? other) =>
        other is not null
        && (Width, Height) == (other.Width, other.Height)
        && Values.AsSpan().SequenceEqual(other.Values);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Width, Height, ValueHash.Of(Values));
}

/// <summary>
/// The attention of a DeiT's class token and distillation token in one picture. It is softmax(q k^T / sqrt(d)) of each
/// layer and head (Vaswani et al., arXiv 1706.03762), and their rollout through all layers (Abnar and Zuidema, arXiv
/// 2005.00928). Holds no device memory. Thread-safe.
/// </summary>
public sealed class ImageAttention
{
    private readonly AttentionMaps _maps;
    private readonly TransformerConfig _config;
    private readonly Lazy<AttentionMap> _rollout;

    /// <summary>Takes what the attention is computed from.</summary>
    /// <param name="projections">
    /// Of each layer [tokens, 3 * D]: queries, then keys, then values, each head after head.
    /// </param>
    /// <param name="config">The architecture.</param>
    /// <exception cref="ArgumentException">A length does not fit the architecture.</exception>
    public ImageAttention(IReadOnlyList<float[]> projections, TransformerConfig config)
        : this(Maps(projections, config), config) { }

    internal ImageAttention(AttentionMaps maps, TransformerConfig config)
    {
        (_maps, _config) = (maps, config);
        _rollout = new Lazy<AttentionMap>(() => OnPatches(_maps.Rollout(token: 0)));
    }

    /// <summary>Number of layers.</summary>
    public int Layers => _maps.Layers;

    /// <summary>Number of heads of a layer.</summary>
    public int Heads => _maps.Heads;

    /// <summary>True where there is a distillation token.</summary>
    public bool HasDistillationToken => _config.PrefixTokens == 2;

    /// <summary>The share of each patch in the class token, through all layers; computed when first asked
    /// for.</summary>
    public AttentionMap Rollout => _rollout.Value;

    /// <summary>Computes the share of each patch in the distillation token, through all layers.</summary>
    /// <exception cref="InvalidOperationException">There is no distillation token.</exception>
    public AttentionMap ComputeDistillationRollout() => OnPatches(_maps.Rollout(Token(distillation: true)));

    /// <summary>Gives how a token's attention is divided in a head.</summary>
    /// <param name="layer">0 to below <see cref="Layers"/>.</param>
    /// <param name="head">0 to below <see cref="Heads"/>.</param>
    /// <param name="distillation">True for the distillation token, false for the class token.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer or head.</exception>
    /// <exception cref="InvalidOperationException">There is no distillation token.</exception>
    public AttentionMap GetHead(int layer, int head, bool distillation = false)
    {
        CheckLayer(layer);
        return OnPatches(_maps.Row(layer, head, Token(distillation)));
    }

    /// <summary>Gives how a token's attention is divided in the mean over the heads of a layer.</summary>
    /// <param name="layer">0 to below <see cref="Layers"/>.</param>
    /// <param name="distillation">True for the distillation token, false for the class token.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    /// <exception cref="InvalidOperationException">There is no distillation token.</exception>
    public AttentionMap GetMean(int layer, bool distillation = false)
    {
        CheckLayer(layer);
        return OnPatches(_maps.Mean(layer, Token(distillation)));
    }

    private static AttentionMaps Maps(IReadOnlyList<float[]> projections, TransformerConfig config)
    {
        ArgumentNullException.ThrowIfNull(projections);
        ArgumentNullException.ThrowIfNull(config);
        if (
            projections.Count != config.Depth
            || projections.Any(layer => layer.Length != 3 * config.Tokens * config.EmbedDim)
        )
            throw new ArgumentException(
                $"Attention was given {projections.Count} layers, expected {config.Depth} of "
                    + $"{3 * config.Tokens * config.EmbedDim} numbers each.",
                nameof(projections)
            );
        return new AttentionMaps(projections, config.NumHeads, config.Tokens);
    }

    private void CheckLayer(int layer)
    {
        if ((uint)layer >= (uint)Layers)
            throw new ArgumentOutOfRangeException(nameof(layer), layer, $"Expected 0 to below {Layers}.");
    }

    private int Token(bool distillation) =>
        !distillation ? 0
        : _config.PrefixTokens == 2 ? 1
        : throw new InvalidOperationException(
            "Attention of the distillation token was asked for, but the model has none; ask for the class token's."
        );

    private AttentionMap OnPatches(double[] row) =>
        new([.. row.Skip(_config.PrefixTokens).Select(share => (float)share)], _config.Grid.Width, _config.Grid.Height);
}
