using Deit.Model;

namespace Deit.Bench.Reports;

/// <summary>The arithmetic of a DeiT: multiply-adds of its matrix products. They are all of its work but a thousandth.</summary>
internal static class MultiplyAdds
{
    /// <summary>
    /// A backward pass multiplies twice for each product of the forward pass: for the input's gradient and for the weight's.
    /// </summary>
    public const int TrainingFactor = 3;

    /// <summary>Multiply-adds of one image's forward pass.</summary>
    public static long Of(DeitConfig config)
    {
        long tokens = config.Tokens,
            dim = config.EmbedDim,
            hidden = config.HiddenDim;
        long patches = config.Patches * 3L * config.PatchSize * config.PatchSize * dim;
        // Query, key, value and projection; both layers of the MLP.
        long linear = tokens * ((4 * dim * dim) + (2 * dim * hidden));
        long attention = 2 * tokens * tokens * dim; // Q K^T and P V, all heads together
        long heads = config.Heads.Count * dim * config.NumClasses;
        return patches + (config.Depth * (linear + attention)) + heads;
    }
}
