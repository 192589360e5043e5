namespace Deit.Gpu;

/// <summary>
/// p *= 1 - lr * weight decay * mask; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr / (1 - b1^t) * m /
/// (sqrt(v) / sqrt(1 - b2^t) + epsilon) (Loshchilov and Hutter, arXiv 1711.05101, in the order of torch.optim.AdamW).
/// </summary>
public static class AdamWOp
{
    /// <summary>How many consecutive parameters share a factor of weight decay: parameters start at multiples of it.</summary>
    public const int Granule = FlatUpdate.Granule;

    private readonly record struct Push(
        uint Count,
        uint FirstGranule,
        uint Flags,
        float Beta1,
        float OneMinusBeta1,
        float Beta2,
        float OneMinusBeta2,
        float Epsilon,
        float WeightDecay
    );

    private static readonly Kernel<Push> Forward = new("adam_w"),
        ByAddress = new("adam_w.address", SubgroupDemand.Full, addresses: 4);

    extension(Recorder r)
    {
        /// <summary>One step over a flat range of parameters, in place.</summary>
        /// <param name="parameters">p [n], any shape; changed.</param>
        /// <param name="gradients">g [n].</param>
        /// <param name="firstMoment">m [n], zero before the first step; changed.</param>
        /// <param name="secondMoment">v [n], zero before the first step; changed.</param>
        /// <param name="decayMask">[ceil(n / 64)]: the factor of weight decay of each 64 parameters, 1 or 0.</param>
        /// <param name="stepState">Learning rate and bias corrections, from <see cref="StepState.Allocate"/>.</param>
        /// <param name="options">The rest.</param>
        /// <param name="gradientScale">[1], multiplies the gradients (clipping: <see cref="GradientNormOp"/>), or null for 1.</param>
        /// <param name="apply">[1], 0 leaves everything as it is (loss scaling: <see cref="LossScaleOp"/>), or null for 1.</param>
        /// <param name="rates">[ceil(n / 64)]: the factor of the learning rate of each 64 parameters, or null for 1.</param>
        /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
        public void AdamW(
            Tensor parameters,
            Tensor gradients,
            Tensor firstMoment,
            Tensor secondMoment,
            Tensor decayMask,
            Tensor stepState,
            AdamWOptions options,
            Tensor? gradientScale = null,
            Tensor? apply = null,
            Tensor? rates = null
        )
        {
            FlatUpdate update = new("AdamW", parameters, gradients, decayMask, stepState, gradientScale, apply, rates);
            update.Check(firstMoment, secondMoment);
            foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, parameters.Elements))
            {
                Shape part = [length];
                bool byAddress = SharedAddresses.ReadElements(r, length);
                // The mask is bound as a whole: a part of it may start at a place where the device lets no range start.
                r.Dispatch(
                    byAddress ? ByAddress : Forward,
                    new Push(
                        (uint)length,
                        (uint)(start / Granule),
                        update.Flags,
                        (float)options.Beta1,
                        (float)(1 - options.Beta1),
                        (float)options.Beta2,
                        (float)(1 - options.Beta2),
                        (float)options.Epsilon,
                        (float)options.WeightDecay
                    ),
                    ElementwiseLayout.Workgroups(r.Info, length, byAddress),
                    ElementwiseLayout.Specialization(r.Info, byAddress),
                    [
                        Binding.Read(decayMask),
                        Binding.Read(stepState),
                        update.ScaleBinding,
                        update.ApplyBinding,
                        update.RatesBinding,
                        Binding.ReadWrite(parameters.Slice(start, part)),
                        Binding.Read(gradients.Slice(start, part)),
                        Binding.ReadWrite(firstMoment.Slice(start, part)),
                        Binding.ReadWrite(secondMoment.Slice(start, part)),
                    ],
                    15.0 * length
                );
            }
        }
    }
}
