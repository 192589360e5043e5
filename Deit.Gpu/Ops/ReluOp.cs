namespace Deit.Gpu;

/// <summary>y = max(x, 0); dx = dy where y &gt; 0.</summary>
public static class ReluOp
{
    private readonly record struct Push(uint Count);

    private readonly record struct BackwardPush(uint Count, uint Accumulate);

    private static readonly Kernel<Push> Forward = new("relu");
    private static readonly Kernel<BackwardPush> Backward = new("relu.backward");

    extension(Recorder r)
    {
        /// <summary>The positive part of every element of x, of any shape.</summary>
        public Tensor Relu(Tensor x)
        {
            Tensor y = r.Empty(x.Shape);
            foreach ((long start, int length) in Flat.Ranges(r, x.Elements))
                r.Dispatch(Forward, new Push((uint)length), Flat.Groups(r, length), [Flat.Workgroup(r)], [Binding.Read(x.Slice(start, [length])), Binding.Write(y.Slice(start, [length]))], 1.0 * length);
            if (Tape.Needs(x))
                r.Tape.OnBackward(y, dy => r.ReluBackward(x, y, dy));
            return y;
        }

        private void ReluBackward(Tensor x, Tensor y, Tensor dy)
        {
            Tape.Target dx = r.Tape.GradientOf(x);
            foreach ((long start, int length) in Flat.Ranges(r, x.Elements))
                r.Dispatch(
                    Backward,
                    new BackwardPush((uint)length, dx.Flag),
                    Flat.Groups(r, length),
                    [Flat.Workgroup(r)],
                    [Binding.Read(y.Slice(start, [length])), Binding.Read(dy.Slice(start, [length])), Binding.Output(dx.Tensor.Slice(start, [length]), dx.Accumulate)],
                    1.0 * length);
        }
    }
}
