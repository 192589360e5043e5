using Deit.Gpu;
using Deit.Train.Options;

namespace Deit.Train.Optimizers;

/// <summary>AdamW, see <see cref="AdamWOp"/>.</summary>
/// <param name="options">The decays, epsilon and weight decay.</param>
internal sealed class AdamWOptimizer(OptimizerOptions options) : IOptimizer
{
    /// <inheritdoc/>
    public IReadOnlyList<string> StateNames { get; } = [OptimizerStates.FirstMoment, OptimizerStates.SecondMoment];

    /// <inheritdoc/>
    public AdamWOptions Corrections { get; } = options.AdamW();

    /// <inheritdoc/>
    public void Record(Recorder r, OptimizerUpdate update) =>
        r.AdamW(
            update.Weights,
            update.Gradients,
            update.State[0],
            update.State[1],
            update.DecayMask,
            update.StepState,
            Corrections,
            update.GradientScale,
            update.Apply,
            update.Rates
        );
}
