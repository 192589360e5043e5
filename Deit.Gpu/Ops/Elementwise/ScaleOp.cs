namespace Deit.Gpu;

/// <summary>y = factor * x; dx = factor * dy.</summary>
public static class ScaleOp
{
    private readonly record struct Push(uint Count, float Factor, uint Accumulate);

    private static readonly Kernel<Push> Forward = new("scale");

    extension(Recorder r)
    {
        /// <summary>Multiplies every element by a constant of the recording.</summary>
        public Tensor Scale(Tensor x, float factor)
        {
            Tensor y = r.Empty(x.Shape);
            r.ScaleInto(y, x, factor, accumulate: false);
            if (Tape.Needs(x))
                r.Tape.OnBackward(
                    y,
                    dy =>
                    {
                        Tape.Target dx = r.Tape.GradientOf(x);
                        r.ScaleInto(dx.Tensor, dy, factor, dx.Accumulate);
                    }
                );
            return y;
        }

        private void ScaleInto(Tensor y, Tensor x, float factor, bool accumulate)
        {
            foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, x.Elements))
                r.Dispatch(
                    Forward,
                    new Push((uint)length, factor, accumulate ? 1u : 0u),
                    ElementwiseLayout.Workgroups(r.Info, length),
                    [ElementwiseLayout.WorkgroupSize(r.Info)],
                    [Binding.Read(x.Slice(start, [length])), Binding.Output(y.Slice(start, [length]), accumulate)],
                    length
                );
        }
    }
}
