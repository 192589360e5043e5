using Deit.Train.Options;

namespace Deit.Train.Optimizers;

/// <summary>The optimisers there are.</summary>
internal static class OptimizerList
{
    private static readonly Dictionary<OptimizerKind, Func<OptimizerOptions, IOptimizer>> All = new()
    {
        [OptimizerKind.AdamW] = options => new AdamWOptimizer(options),
        [OptimizerKind.Lamb] = options => new LambOptimizer(options),
        [OptimizerKind.Lion] = options => new LionOptimizer(options),
        [OptimizerKind.Sgd] = options => new SgdOptimizer(options),
        [OptimizerKind.Momentum] = options => new SgdOptimizer(options),
    };

    /// <summary>The optimiser that the options ask for.</summary>
    public static IOptimizer Create(OptimizerOptions options) => All[options.Kind](options);
}
