using Deit.Gpu;

namespace Deit.Train.Optimizers;

/// <summary>A method by which gradients change weights.</summary>
internal interface IOptimizer
{
    /// <summary>
    /// The tensors that are kept from update to update, by the names that a checkpoint keeps them under. Each is as long as
    /// the weights that are updated and zero before the first update.
    /// </summary>
    IReadOnlyList<string> StateNames { get; }

    /// <summary>The decays of the moments that <see cref="StepState"/> corrects for their start at zero.</summary>
    AdamWOptions Corrections { get; }

    /// <summary>Records one update in place.</summary>
    /// <param name="r">The recorder.</param>
    /// <param name="update">The tensors of the update.</param>
    void Record(Recorder r, OptimizerUpdate update);
}

/// <summary>The tensors of an update.</summary>
/// <param name="Weights">The weights to update, flat: all that are trained, or a part.</param>
/// <param name="Gradients">Their gradients.</param>
/// <param name="State">The optimiser's own, in the order of <see cref="IOptimizer.StateNames"/>.</param>
/// <param name="DecayMask">The factor of weight decay of each <see cref="Deit.Model.Parameters.Granule"/> parameters, 1 or 0.</param>
/// <param name="Segments">
/// U32, the index, among those that are trained, of the parameter tensor that each
/// <see cref="Deit.Model.Parameters.Granule"/> parameters belong to.
/// </param>
/// <param name="SegmentCount">How many parameter tensors are trained.</param>
/// <param name="StepState">Learning rate and bias corrections.</param>
/// <param name="GradientScale">[1], multiplies the gradients; null for 1.</param>
/// <param name="Apply">[1], 0 leaves everything as it is; null for 1.</param>
/// <param name="Rates">
/// The factor of the learning rate of each <see cref="Deit.Model.Parameters.Granule"/> parameters; null for 1.
/// </param>
internal sealed record OptimizerUpdate(
    Tensor Weights,
    Tensor Gradients,
    IReadOnlyList<Tensor> State,
    Tensor DecayMask,
    Tensor Segments,
    int SegmentCount,
    Tensor StepState,
    Tensor? GradientScale,
    Tensor? Apply,
    Tensor? Rates
);
