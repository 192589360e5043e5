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
            foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, x.Elements, x.DType.Size()))
            {
                Tensor part = x.Slice(start, [length]);
                RecordPart(
                    r,
                    SharedAddresses.ReadElements(r, part.ByteLength / sizeof(float)),
                    part,
                    y.Slice(start, [length])
                );
            }
        }
    }

    /// <summary>Records a copy that the device can bind, in one of two ways.</summary>
    internal static void RecordPart(Recorder r, bool byAddress, Tensor x, Tensor y)
    {
        long words = x.ByteLength / 4;
        r.Dispatch(
            byAddress ? ByAddress : Forward,
            new Push((uint)words),
            ElementwiseLayout.Workgroups(r.Info, words, byAddress),
            ElementwiseLayout.Specialization(r.Info, byAddress),
            [Binding.Read(x), Binding.Write(y)]
        );
    }
}
