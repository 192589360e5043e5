namespace Deit.Gpu;

/// <summary>y = scale * sum of x, or of x^2, over all elements, in stages of fixed order.</summary>
public static class SumOp
{
    private readonly record struct Push(uint Count, uint PerChunk, uint FirstChunk, uint Square, float Scale);

    private static readonly Kernel<Push> Forward = new("sum", SubgroupDemand.Full);

    extension(Recorder r)
    {
        /// <summary>scale * sum(x) as [1]; no gradient is recorded.</summary>
        /// <param name="x">Any shape, also longer than the largest range that the device binds.</param>
        /// <param name="scale">A factor of the result: 1 / n for a mean.</param>
        public Tensor Sum(Tensor x, float scale = 1) => r.Reduce(x, scale, square: false);

        /// <summary>scale * sum(x^2) as [1]; no gradient is recorded.</summary>
        /// <param name="x">Any shape, also longer than the largest range that the device binds.</param>
        /// <param name="scale">A factor of the result.</param>
        public Tensor SumOfSquares(Tensor x, float scale = 1) => r.Reduce(x, scale, square: true);

        private Tensor Reduce(Tensor x, float scale, bool square)
        {
            int perChunk = PerChunk(x.Elements);
            (long Start, int Length)[] ranges = [.. ElementwiseLayout.Ranges(r.Info, x.Elements)];
            int chunks = ranges.Sum(range => Chunks(range.Length, perChunk));
            bool last = chunks == 1;
            Tensor sums = r.Empty([chunks]);
            int first = 0;
            foreach ((long start, int length) in ranges)
            {
                int count = Chunks(length, perChunk);
                r.Dispatch(
                    Forward,
                    new Push((uint)length, (uint)perChunk, (uint)first, square ? 1u : 0u, last ? scale : 1),
                    RowLayout.Workgroups(r.Info, count),
                    [RowLayout.WorkgroupSize(r.Info)],
                    [Binding.Read(x.Slice(start, [length])), Binding.Write(sums)],
                    length
                );
                first += count;
            }
            return last ? sums : r.Reduce(sums, scale, square: false);
        }
    }

    // The elements for one workgroup: enough to be worth its start, and about the square root of all, which balances
    // the stages.
    private static int PerChunk(long elements) => Math.Max(1024, (int)Math.Ceiling(Math.Sqrt(elements)));

    private static int Chunks(int length, int perChunk) => (length + perChunk - 1) / perChunk;
}
