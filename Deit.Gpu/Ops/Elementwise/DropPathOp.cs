namespace Deit.Gpu;

/// <summary>
/// scale[b] = u[b] >= rate ? 1 / (1 - rate) : 0 with u uniform in [0, 1): stochastic depth (Huang et al., arXiv
/// 1603.09382).
/// </summary>
/// <remarks>u is the first word of Philox4x32-10 at counter (b, 0, step, site) and key (seed low, seed high), its upper 24 bits.</remarks>
public static class DropPathOp
{
    private readonly record struct Push(uint Count, uint Site, float Rate, float Kept);

    private static readonly Kernel<Push> Forward = new("drop_path");

    extension(Recorder r)
    {
        /// <summary>
        /// A factor [batch] for <see cref="ResidualOp"/>, drawn anew on every run from the seed and the step of the
        /// step state.
        /// </summary>
        /// <param name="batch">B.</param>
        /// <param name="rate">The probability to drop, from 0 to below 1.</param>
        /// <param name="site">Which use of random numbers this is: <see cref="Recorder.RandomSite"/>.</param>
        /// <param name="stepState">From <see cref="StepState.Allocate"/>.</param>
        /// <exception cref="ArgumentOutOfRangeException">The rate is not within 0 and 1.</exception>
        public Tensor DropPath(int batch, float rate, uint site, Tensor stepState)
        {
            if (rate is not (>= 0 and < 1))
                throw new ArgumentOutOfRangeException(
                    nameof(rate),
                    $"The drop-path rate is {rate}, expected 0 to below 1."
                );
            Tensor scale = r.Empty([batch]);
            r.Dispatch(
                Forward,
                new Push((uint)batch, site, rate, (float)(1 / (1 - (double)rate))),
                ElementwiseLayout.Workgroups(r.Info, batch),
                [ElementwiseLayout.WorkgroupSize(r.Info)],
                [Binding.Read(StepState.Check(stepState)), Binding.Write(scale)]
            );
            return scale;
        }
    }
}
