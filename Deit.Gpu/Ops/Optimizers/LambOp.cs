namespace Deit.Gpu;

/// <summary>The settings of LAMB, the same in every step; the defaults are those of timm.</summary>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="WeightDecay">The share of a parameter that is added to its direction, multiplied by the mask.</param>
public sealed record LambOptions(
    double Beta1 = 0.9,
    double Beta2 = 0.999,
    double Epsilon = 1e-6,
    double WeightDecay = 0.01
);

/// <summary>
/// m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; u = m / (1 - b1^t) / (sqrt(v) / sqrt(1 - b2^t) + epsilon) + weight decay * mask * p;
/// p -= lr * trust * u, where trust = |p| / |u| over each parameter tensor that decays, and 1 where either norm is 0 or nothing decays
/// (You et al., "Large Batch Optimization for Deep Learning", arXiv 1904.00962, algorithm 2, with the trust ratio as timm's Lamb has it).
/// </summary>
/// <remarks>
/// Three passes: moments with the sums of squares of each granule, the sums of each parameter, the step. Each sum has a fixed order.
/// </remarks>
public static class LambOp
{
    private readonly record struct MomentsPush(
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

    private readonly record struct TrustPush(uint Count, uint Granules, float WeightDecay);

    private readonly record struct Push(uint Count, uint FirstGranule, uint Flags, float Epsilon, float WeightDecay);

    private static readonly Kernel<MomentsPush> Moments = new("lamb.moments", SubgroupDemand.Full);
    private static readonly Kernel<TrustPush> Trust = new("lamb.trust", SubgroupDemand.Full);
    private static readonly Kernel<Push> Forward = new("lamb");

    extension(Recorder r)
    {
        /// <summary>One step over a flat range of parameters, in place.</summary>
        /// <param name="parameters">p [n], any shape; changed.</param>
        /// <param name="gradients">g [n]; zero in the padding between parameters, as p is.</param>
        /// <param name="firstMoment">m [n], zero before the first step; changed.</param>
        /// <param name="secondMoment">v [n], zero before the first step; changed.</param>
        /// <param name="decayMask">[ceil(n / 64)]: the factor of weight decay of each 64 parameters, one for a whole
        /// parameter tensor; 1 or 0.</param>
        /// <param name="segments">[ceil(n / 64)] U32: the index of the parameter tensor that 64 parameters belong to,
        /// ascending from 0.</param>
        /// <param name="count">How many parameter tensors there are.</param>
        /// <param name="stepState">Learning rate and bias corrections, from <see cref="StepState.Allocate"/>.</param>
        /// <param name="options">The rest.</param>
        /// <param name="gradientScale">[1], multiplies the gradients (clipping: <see cref="GradientNormOp"/>), or null for 1.</param>
        /// <param name="apply">[1], 0 leaves everything as it is (loss scaling: <see cref="LossScaleOp"/>), or null for 1.</param>
        /// <param name="rates">[ceil(n / 64)]: the factor of the learning rate of each 64 parameters, or null for 1.</param>
        /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
        public void Lamb(
            Tensor parameters,
            Tensor gradients,
            Tensor firstMoment,
            Tensor secondMoment,
            Tensor decayMask,
            Tensor segments,
            int count,
            Tensor stepState,
            LambOptions options,
            Tensor? gradientScale = null,
            Tensor? apply = null,
            Tensor? rates = null
        )
        {
            FlatUpdate update = new("LAMB", parameters, gradients, decayMask, stepState, gradientScale, apply, rates);
            update.Check(firstMoment, secondMoment);
            if (segments.Elements != update.Granules || segments.DType != DType.U32 || count < 1)
                throw new ArgumentException(
                    $"LAMB of {parameters} with segments {segments} of {count} parameters: expected the index of "
                        + $"a parameter for each of {update.Granules} granules, as U32.",
                    nameof(segments)
                );
            Tensor squares = r.Empty([update.Granules, 2]),
                trust = r.Empty([count]);
            r.LambMoments(update, firstMoment, secondMoment, squares, options);
            r.Dispatch(
                Trust,
                new TrustPush((uint)count, (uint)update.Granules, (float)options.WeightDecay),
                RowLayout.Workgroups(r.Info, count),
                [RowLayout.WorkgroupSize(r.Info)],
                [Binding.Read(squares), Binding.Read(segments), Binding.Read(decayMask), Binding.Write(trust)],
                2.0 * update.Granules
            );
            foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, parameters.Elements))
                r.Dispatch(
                    Forward,
                    new Push(
                        (uint)length,
                        (uint)(start / FlatUpdate.Granule),
                        update.Flags,
                        (float)options.Epsilon,
                        (float)options.WeightDecay
                    ),
                    ElementwiseLayout.Workgroups(r.Info, length),
                    [ElementwiseLayout.WorkgroupSize(r.Info)],
                    [
                        Binding.ReadWrite(parameters.Slice(start, [length])),
                        Binding.Read(firstMoment.Slice(start, [length])),
                        Binding.Read(secondMoment.Slice(start, [length])),
                        Binding.Read(trust),
                        Binding.Read(segments),
                        Binding.Read(decayMask),
                        Binding.Read(stepState),
                        update.ApplyBinding,
                        update.RatesBinding,
                    ],
                    10.0 * length
                );
        }

        // squares [granules, 2]: of each granule the sums of p^2 and of u^2.
        private void LambMoments(
            FlatUpdate update,
            Tensor firstMoment,
            Tensor secondMoment,
            Tensor squares,
            LambOptions options
        )
        {
            foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, update.Parameters.Elements))
            {
                Shape part = [length];
                int granules = (length + FlatUpdate.Granule - 1) / FlatUpdate.Granule;
                r.Dispatch(
                    Moments,
                    new MomentsPush(
                        (uint)length,
                        (uint)(start / FlatUpdate.Granule),
                        update.Flags,
                        (float)options.Beta1,
                        (float)(1 - options.Beta1),
                        (float)options.Beta2,
                        (float)(1 - options.Beta2),
                        (float)options.Epsilon,
                        (float)options.WeightDecay
                    ),
                    RowLayout.Workgroups(r.Info, granules),
                    [RowLayout.WorkgroupSize(r.Info)],
                    [
                        Binding.Read(update.Parameters.Slice(start, part)),
                        Binding.Read(update.Gradients.Slice(start, part)),
                        Binding.ReadWrite(firstMoment.Slice(start, part)),
                        Binding.ReadWrite(secondMoment.Slice(start, part)),
                        Binding.Write(squares),
                        Binding.Read(update.DecayMask),
                        Binding.Read(update.StepState),
                        update.ScaleBinding,
                        update.ApplyBinding,
                    ],
                    18.0 * length
                );
            }
        }
    }
}
