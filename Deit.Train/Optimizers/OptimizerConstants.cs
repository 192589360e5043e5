using Deit.Gpu;
using Deit.Train.Options;

namespace Deit.Train.Optimizers;

/// <summary>The constants of the optimisers' ops, as options say.</summary>
internal static class OptimizerConstants
{
    /// <summary>The constants of AdamW.</summary>
    /// <param name="options">The optimiser.</param>
    public static AdamWOptions AdamW(this OptimizerOptions options) =>
        new(options.Beta1, options.Beta2, options.Epsilon, options.WeightDecay);

    /// <summary>The constants of SGD.</summary>
    /// <param name="options">The optimiser.</param>
    public static SgdOptions Sgd(this OptimizerOptions options) =>
        new(options.Momentum, options.WeightDecay, Nesterov: options.Kind == OptimizerKind.Sgd);
}
