using Deit.Gpu;
using Deit.Train.Options;

namespace Deit.Train.Optimizers;

/// <summary>SGD with momentum, see <see cref="SgdOp"/>.</summary>
/// <param name="options">The kind of momentum, its share and the weight decay.</param>
internal sealed class SgdOptimizer(OptimizerOptions options) : IOptimizer
{
    private readonly SgdOptions _options = options.Sgd();

    /// <inheritdoc/>
    public IReadOnlyList<string> StateNames { get; } = [OptimizerStates.FirstMoment];

    /// <inheritdoc/>
    public AdamWOptions Corrections { get; } = new(Beta1: 0, Beta2: 0);

    /// <inheritdoc/>
    public void Record(Recorder r, OptimizerUpdate update) =>
        r.Sgd(
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
