namespace Deit.Gpu;

/// <summary>What SGD keeps the same from step to step.</summary>
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

    private const uint Clipped = 1,
        Conditional = 2;

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
        /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
        public void Sgd(
            Tensor parameters,
            Tensor gradients,
            Tensor momentum,
            Tensor decayMask,
            Tensor stepState,
            SgdOptions options,
            Tensor? gradientScale = null,
            Tensor? apply = null
        )
        {
            const int Granule = AdamWOp.Granule;
            long count = parameters.Elements;
            if (gradients.Elements != count || momentum.Elements != count)
                throw new ArgumentException(
                    $"SGD of {parameters} with gradients {gradients} and momentum {momentum}: expected the same number of elements."
                );
            if (decayMask.Elements != (count + Granule - 1) / Granule)
                throw new ArgumentException(
                    $"SGD of {parameters} with decay mask {decayMask}: expected {(count + Granule - 1) / Granule} "
                        + $"elements, one for {Granule} parameters.",
                    nameof(decayMask)
                );
            if (gradientScale is { Elements: not 1 } || apply is { Elements: not 1 })
                throw new ArgumentException(
                    $"SGD with gradient scale {gradientScale} and apply {apply}: expected [1] each.",
                    nameof(gradientScale)
                );
            StepState.Check(stepState);
            foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, count))
            {
                Shape part = [length];
                // The mask is bound whole: its part would not start where the device lets a range start.
                r.Dispatch(
                    Forward,
                    new Push(
                        (uint)length,
                        (uint)(start / Granule),
                        (gradientScale is null ? 0u : Clipped) | (apply is null ? 0u : Conditional),
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
                        Binding.Read(gradientScale ?? decayMask),
                        Binding.Read(apply ?? decayMask),
                    ],
                    9.0 * length
                );
            }
        }
    }
}
