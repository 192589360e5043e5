using Deit.Gpu;
using Deit.Train.Options;

namespace Deit.Train.Optimizers;

/// <summary>LAMB, see <see cref="LambOp"/>.</summary>
/// <param name="options">The decays, epsilon and weight decay.</param>
internal sealed class LambOptimizer(OptimizerOptions options) : IOptimizer
{
    private readonly LambOptions _options = new(options.Beta1, options.Beta2, options.Epsilon, options.WeightDecay);

    /// <inheritdoc/>
    public IReadOnlyList<string> StateNames { get; } = [OptimizerStates.FirstMoment, OptimizerStates.SecondMoment];

    /// <inheritdoc/>
    public AdamWOptions Corrections { get; } = new(options.Beta1, options.Beta2);

    /// <inheritdoc/>
    public void Record(Recorder r, OptimizerUpdate update) =>
        r.Lamb(
            update.Weights,
            update.Gradients,
            update.State[0],
            update.State[1],
            update.DecayMask,
            update.Segments,
            update.SegmentCount,
            update.StepState,
            _options,
            update.GradientScale,
            update.Apply,
            update.Rates
        );
}
