namespace Deit.Gpu;

/// <summary>y = x, of any element type.</summary>
public static class CopyOp
{
    private readonly record struct Push(uint Words);

    private static readonly Kernel<Push> Forward = new("copy"),
        ByAddress = new("copy.address", SubgroupDemand.Full, addresses: 2);

    extension(Recorder r)
    {
        /// <summary>Copies a tensor onto another of the same type and number of elements.</summary>
        /// <exception cref="ArgumentException">Type or length differ, or the length is no multiple of 4 bytes.</exception>
        public void Copy(Tensor x, Tensor y)
        {
            if (x.DType != y.DType || x.Elements != y.Elements || x.ByteLength % 4 != 0)
                throw new ArgumentException(
                    $"Copy of {x} to {y}: expected the same type and length, a multiple of 4 bytes."
                );
            long words = x.ByteLength / 4;
            int size = x.DType.Size();
            foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, words))
            {
                Shape part = [length * 4 / size];
                bool byAddress = ElementwiseLayout.ReadsByAddress(r, length);
                r.Dispatch(
                    byAddress ? ByAddress : Forward,
                    new Push((uint)length),
                    ElementwiseLayout.Workgroups(r.Info, length, byAddress),
                    ElementwiseLayout.Specialization(r.Info, byAddress),
                    [Binding.Read(x.Slice(start * 4 / size, part)), Binding.Write(y.Slice(start * 4 / size, part))]
                );
            }
        }
    }
}
