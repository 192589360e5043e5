namespace Deit.Gpu;

/// <summary>
/// norm = sqrt(sum of squares); coefficient = min(1, maximum / (norm + 1e-6)): clipping as
/// torch.nn.utils.clip_grad_norm_.
/// </summary>
public static class GradientNormOp
{
    private readonly record struct Push(float Maximum);

    private static readonly Kernel<Push> Forward = new("gradient_norm");

    extension(Recorder r)
    {
        /// <summary>The norm of all gradients together and the factor that brings it to a maximum, each [1].</summary>
        /// <param name="gradients">All gradients as one flat range; padding between them is zero.</param>
        /// <param name="maximum">The largest norm that is left as it is; positive infinity clips nothing.</param>
        /// <returns>The norm before clipping, and the coefficient for <see cref="AdamWOp"/>; both NaN when a gradient is.</returns>
        /// <exception cref="ArgumentOutOfRangeException">The maximum is not positive.</exception>
        public (Tensor Norm, Tensor Coefficient) ClipScale(Tensor gradients, float maximum)
        {
            if (!(maximum > 0))
                throw new ArgumentOutOfRangeException(
                    nameof(maximum),
                    $"The largest gradient norm is {maximum}, expected a positive number."
                );
            Tensor sum = r.SumOfSquares(gradients);
            Tensor norm = r.Empty([1]),
                coefficient = r.Empty([1]);
            r.Dispatch(
                Forward,
                new Push(maximum),
                new WorkgroupCount(1),
                [],
                [Binding.Read(sum), Binding.Write(norm), Binding.Write(coefficient)]
            );
            return (norm, coefficient);
        }
    }
}
