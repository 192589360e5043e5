using Deit.Gpu;
using Deit.Train.Options;

namespace Deit.Train.Optimizers;

/// <summary>Lion, see <see cref="LionOp"/>.</summary>
/// <param name="options">The decays and the weight decay.</param>
internal sealed class LionOptimizer(OptimizerOptions options) : IOptimizer
{
    private readonly LionOptions _options = new(options.Beta1, options.Beta2, options.WeightDecay);

    /// <inheritdoc/>
    public IReadOnlyList<string> StateNames { get; } = [OptimizerStates.FirstMoment];

    /// <inheritdoc/>
    public AdamWOptions Corrections { get; } = new(Beta1: 0, Beta2: 0);

    /// <inheritdoc/>
    public void Record(Recorder r, OptimizerUpdate update) =>
        r.Lion(
            update.Weights,
            update.Gradients,
            update.State[0],
            update.DecayMask,
            update.StepState,
            _options,
            update.GradientScale,
            update.Apply,
            update.Rates
        );
}
