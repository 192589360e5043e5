namespace Deit.Gpu;

/// <summary>y = value, for every element.</summary>
public static class FillOp
{
    private readonly record struct Push(uint Count, float Value);

    private static readonly Kernel<Push> Forward = new("fill");

    extension(Recorder r)
    {
        /// <summary>Fills a tensor of any length with a value.</summary>
        public void Fill(Tensor y, float value)
        {
            foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, y.Elements))
                r.Dispatch(
                    Forward,
                    new Push((uint)length, value),
                    ElementwiseLayout.Workgroups(r.Info, length),
                    [ElementwiseLayout.WorkgroupSize(r.Info)],
                    [Binding.Write(y.Slice(start, [length]))]
                );
        }

        /// <summary>A new tensor of one value.</summary>
        public Tensor Full(Shape shape, float value)
        {
            Tensor y = r.Empty(shape);
            r.Fill(y, value);
            return y;
        }
    }
}
