namespace Deit.Gpu;

/// <summary>The settings of Lion, the same in every step; the defaults are those of the paper.</summary>
/// <param name="Beta1">The share of the momentum in the direction of a step.</param>
/// <param name="Beta2">Decay of the momentum.</param>
/// <param name="WeightDecay">Decoupled weight decay, multiplied by the learning rate and by the mask.</param>
public sealed record LionOptions(double Beta1 = 0.9, double Beta2 = 0.99, double WeightDecay = 0);

/// <summary>
/// u = sign(b1 m + (1 - b1) g); p -= lr * (u + weight decay * mask * p); m = b2 m + (1 - b2) g
/// (Chen et al., "Symbolic Discovery of Optimization Algorithms", arXiv 2302.06675, algorithm 2).
/// </summary>
public static class LionOp
{
    private readonly record struct Push(
        uint Count,
        uint FirstGranule,
        uint Flags,
        float Beta1,
        float OneMinusBeta1,
        float Beta2,
        float OneMinusBeta2,
        float WeightDecay
    );

    private static readonly Kernel<Push> Forward = new("lion");

    extension(Recorder r)
    {
        /// <summary>
        /// One step over a flat range of parameters, in place. A parameter whose gradient and momentum are 0 only
        /// decays.
        /// </summary>
        /// <param name="parameters">p [n], any shape; changed.</param>
        /// <param name="gradients">g [n].</param>
        /// <param name="momentum">m [n], zero before the first step; changed.</param>
        /// <param name="decayMask">[ceil(n / 64)]: the factor of weight decay of each 64 parameters, 1 or 0.</param>
        /// <param name="stepState">The learning rate, from <see cref="StepState.Allocate"/>.</param>
        /// <param name="options">The rest.</param>
        /// <param name="gradientScale">[1], multiplies the gradients (clipping: <see cref="GradientNormOp"/>), or null for 1.</param>
        /// <param name="apply">[1], 0 leaves everything as it is (loss scaling: <see cref="LossScaleOp"/>), or null for 1.</param>
        /// <param name="rates">[ceil(n / 64)]: the factor of the learning rate of each 64 parameters, or null for 1.</param>
        /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
        public void Lion(
            Tensor parameters,
            Tensor gradients,
            Tensor momentum,
            Tensor decayMask,
            Tensor stepState,
            LionOptions options,
            Tensor? gradientScale = null,
            Tensor? apply = null,
            Tensor? rates = null
        )
        {
            FlatUpdate update = new("Lion", parameters, gradients, decayMask, stepState, gradientScale, apply, rates);
            update.Check(momentum);
            foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, parameters.Elements))
                r.Dispatch(
                    Forward,
                    new Push(
                        (uint)length,
                        (uint)(start / FlatUpdate.Granule),
                        update.Flags,
                        (float)options.Beta1,
                        (float)(1 - options.Beta1),
                        (float)options.Beta2,
                        (float)(1 - options.Beta2),
                        (float)options.WeightDecay
                    ),
                    ElementwiseLayout.Workgroups(r.Info, length),
                    [ElementwiseLayout.WorkgroupSize(r.Info)],
                    [
                        Binding.ReadWrite(parameters.Slice(start, [length])),
                        Binding.Read(gradients.Slice(start, [length])),
                        Binding.ReadWrite(momentum.Slice(start, [length])),
                        // The mask is bound as a whole: a part of it may start at a place where the device lets no
                        // range start.
                        Binding.Read(decayMask),
                        Binding.Read(stepState),
                        update.ScaleBinding,
                        update.ApplyBinding,
                        update.RatesBinding,
                    ],
                    10.0 * length
                );
        }
    }
}
