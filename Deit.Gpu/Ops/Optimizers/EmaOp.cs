namespace Deit.Gpu;

/// <summary>e = decay * e + (1 - decay) * p: the exponential moving average of the parameters.</summary>
public static class EmaOp
{
    private readonly record struct Push(uint Count);

    private static readonly Kernel<Push> Forward = new("ema"),
        ByAddress = new("ema.address", SubgroupDemand.Full, addresses: 2);

    extension(Recorder r)
    {
        /// <summary>Moves an average towards the parameters, in place.</summary>
        /// <param name="average">e [n], any shape; changed.</param>
        /// <param name="parameters">p [n].</param>
        /// <param name="stepState">The decay, from <see cref="StepState.Allocate"/>.</param>
        /// <exception cref="ArgumentException">The lengths differ.</exception>
        public void Ema(Tensor average, Tensor parameters, Tensor stepState)
        {
            if (average.Elements != parameters.Elements)
                throw new ArgumentException(
                    $"Moving average {average} of {parameters}: expected the same number of elements.",
                    nameof(average)
                );
            StepState.Check(stepState);
            foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, parameters.Elements))
            {
                bool byAddress = SharedAddresses.ReadElements(r, length);
                r.Dispatch(
                    byAddress ? ByAddress : Forward,
                    new Push((uint)length),
                    ElementwiseLayout.Workgroups(r.Info, length, byAddress),
                    ElementwiseLayout.Specialization(r.Info, byAddress),
                    [
                        Binding.Read(stepState),
                        Binding.ReadWrite(average.Slice(start, [length])),
                        Binding.Read(parameters.Slice(start, [length])),
                    ],
                    3.0 * length
                );
            }
        }
    }
}
