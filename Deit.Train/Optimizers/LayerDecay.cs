using Deit.Model;

namespace Deit.Train.Optimizers;

/// <summary>
/// Learning rates that fall towards the input, as timm's <c>param_groups_layer_decay</c>: layer l of L has decay^(L - l) of the rate, where
/// L is the layer of the heads (Bao et al., "BEiT", arXiv 2106.08254). See <see cref="NetworkLayers"/>.
/// </summary>
internal static class LayerDecay
{
    /// <summary>The factor of the rate of a layer.</summary>
    /// <param name="config">The network.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="decay">The factor from a layer to the one before.</param>
    public static float Rate(NetworkConfig config, int layer, double decay) =>
        (float)Math.Pow(decay, config.LastLayer - layer);

    /// <summary>The factor of the rate of each <see cref="Parameters.Granule"/> trained parameters; null where all are 1.</summary>
    /// <param name="config">The network.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="decay">The factor from a layer to the one before.</param>
    public static float[]? Rates(NetworkConfig config, Parameters parameters, double decay)
    {
        if (decay == 1)
            return null;
        IReadOnlyList<int> layers = config.Layers();
        float[] rates = new float[parameters.FlatLength / Parameters.Granule];
        foreach ((int i, ParameterSpec spec) in parameters.Specs.Index())
            rates.AsSpan(parameters.RangeOf(spec.Name).Start / Parameters.Granule).Fill(Rate(config, layers[i], decay));
        return rates[(parameters.FrozenLength / Parameters.Granule)..];
    }
}
