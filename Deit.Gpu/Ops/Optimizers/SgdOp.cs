namespace Deit.Gpu;

/// <summary>The settings of SGD, the same in every step.</summary>
/// <param name="Momentum">The share of the last direction that is kept.</param>
/// <param name="WeightDecay">Added to the gradient as weight decay * mask * p, before the momentum: not decoupled.</param>
/// <param name="Nesterov">Steps along gradient + momentum * new direction instead of the new direction.</param>
public sealed record SgdOptions(double Momentum = 0.9, double WeightDecay = 1e-4, bool Nesterov = true);

/// <summary>
/// g += weight decay * mask * p; b = momentum * b + g; p -= lr * (g + momentum * b), or p -= lr * b without Nesterov:
/// torch.optim.SGD (Sutskever et al., ICML 2013).
/// </summary>
public static class SgdOp
{
    private readonly record struct Push(
        uint Count,
        uint FirstGranule,
        uint Flags,
        float Momentum,
        float WeightDecay,
        uint Nesterov
    );

    private static readonly Kernel<Push> Forward = new("sgd");

    extension(Recorder r)
    {
        /// <summary>One step over a flat range of parameters, in place.</summary>
        /// <param name="parameters">p [n], any shape; changed.</param>
        /// <param name="gradients">g [n].</param>
        /// <param name="momentum">b [n], zero before the first step; changed.</param>
        /// <param name="decayMask">[ceil(n / 64)]: the factor of weight decay of each 64 parameters, 1 or 0.</param>
        /// <param name="stepState">The learning rate, from <see cref="StepState.Allocate"/>.</param>
        /// <param name="options">The rest.</param>
        /// <param name="gradientScale">[1], multiplies the gradients (clipping: <see cref="GradientNormOp"/>), or null for 1.</param>
        /// <param name="apply">[1], 0 leaves everything as it is (loss scaling: <see cref="LossScaleOp"/>), or null for 1.</param>
        /// <param name="rates">[ceil(n / 64)]: the factor of the learning rate of each 64 parameters, or null for 1.</param>
        /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
        public void Sgd(
            Tensor parameters,
            Tensor gradients,
            Tensor momentum,
            Tensor decayMask,
            Tensor stepState,
            SgdOptions options,
            Tensor? gradientScale = null,
            Tensor? apply = null,
            Tensor? rates = null
        )
        {
            FlatUpdate update = new("SGD", parameters, gradients, decayMask, stepState, gradientScale, apply, rates);
            update.Check(momentum);
            foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, parameters.Elements))
            {
                Shape part = [length];
                // The mask is bound as a whole: a part of it may start at a place where the device lets no range start.
                r.Dispatch(
                    Forward,
                    new Push(
                        (uint)length,
                        (uint)(start / FlatUpdate.Granule),
                        update.Flags,
                        (float)options.Momentum,
                        (float)options.WeightDecay,
                        options.Nesterov ? 1u : 0u
                    ),
                    ElementwiseLayout.Workgroups(r.Info, length),
                    [ElementwiseLayout.WorkgroupSize(r.Info)],
                    [
                        Binding.ReadWrite(parameters.Slice(start, part)),
                        Binding.Read(gradients.Slice(start, part)),
                        Binding.ReadWrite(momentum.Slice(start, part)),
                        Binding.Read(decayMask),
                        Binding.Read(stepState),
                        update.ScaleBinding,
                        update.ApplyBinding,
                        update.RatesBinding,
                    ],
                    9.0 * length
                );
            }
        }
    }
}
