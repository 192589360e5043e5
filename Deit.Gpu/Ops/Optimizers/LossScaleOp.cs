namespace Deit.Gpu;

/// <summary>The settings of dynamic loss scaling, the same in every step; the defaults are those of torch.cuda.amp.GradScaler.</summary>
/// <param name="Initial">The scale at the start.</param>
/// <param name="GrowthInterval">Updates in a row with finite gradients after which the scale doubles.</param>
public sealed record LossScaleOptions(float Initial = 65536, int GrowthInterval = 2000);

/// <summary>
/// Dynamic loss scaling decided on the device (Micikevicius et al., arXiv 1710.03740). Where gradients of the scaled
/// loss are not finite, the update is skipped and the scale halved. After many updates in a row with finite gradients
/// the scale doubles.
/// </summary>
public static class LossScaleOp
{
    /// <summary>
    /// Elements of the state, all F32: the scale, finite updates since it last changed, updates skipped so far, and one
    /// unused.
    /// </summary>
    public const int StateElements = 4;

    // A scale beyond these limits is of no use. Within them the scale and its inverse are finite numbers.
    private const float Smallest = 1f / 65536,
        Largest = 1 << 24;

    private readonly record struct Push(float Maximum, float GrowthInterval, float Smallest, float Largest);

    private static readonly Kernel<Push> Forward = new("loss_scale");

    extension(Recorder r)
    {
        /// <summary>Decides about an update and the next scale.</summary>
        /// <param name="gradients">All gradients of the scaled loss as one flat range; padding between them is zero.</param>
        /// <param name="state">[4], see <see cref="StateElements"/>; changed.</param>
        /// <param name="options">When the scale grows.</param>
        /// <param name="maximum">The largest norm of the gradients without the scale that is left as it is; positive
        /// infinity clips nothing.</param>
        /// <returns>The factor that takes the scale away and clips, and 1 where the update is to be applied, 0 where it
        /// is skipped: each [1].</returns>
        /// <exception cref="ArgumentException">The state has another length.</exception>
        public (Tensor Factor, Tensor Apply) LossScale(
            Tensor gradients,
            Tensor state,
            LossScaleOptions options,
            float maximum = float.PositiveInfinity
        )
        {
            if (state.Elements != StateElements)
                throw new ArgumentException(
                    $"Loss scaling with state {state}: expected [{StateElements}].",
                    nameof(state)
                );
            Tensor sum = r.SumOfSquares(gradients);
            Tensor factor = r.Empty([1]),
                apply = r.Empty([1]);
            r.Dispatch(
                Forward,
                new Push(maximum, options.GrowthInterval, Smallest, Largest),
                new WorkgroupCount(1),
                [],
                [Binding.Read(sum), Binding.ReadWrite(state), Binding.Write(factor), Binding.Write(apply)]
            );
            return (factor, apply);
        }
    }
}
