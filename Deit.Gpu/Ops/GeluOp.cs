namespace Deit.Gpu;

/// <summary>y = x * Phi(x), Phi the exact normal distribution, not an approximation of it (Hendrycks and Gimpel, arXiv 1606.08415).</summary>
public static class GeluOp
{
    private readonly record struct Push(uint Count);

    private readonly record struct BackwardPush(uint Count, uint Accumulate);

    private static readonly Kernel<Push> Forward = new("gelu");
    private static readonly Kernel<BackwardPush> Backward = new("gelu.backward");

    extension(Recorder r)
    {
        /// <summary>GELU of every element of x, of any shape; dL/dx = dL/dy * (Phi(x) + x * phi(x)).</summary>
        public Tensor Gelu(Tensor x)
        {
            Tensor y = r.Empty(x.Shape);
            foreach ((long start, int length) in Flat.Ranges(r, x.Elements))
                r.Dispatch(Forward, new Push((uint)length), Flat.Groups(r, length), [Flat.Workgroup(r)], [Binding.Read(x.Slice(start, [length])), Binding.Write(y.Slice(start, [length]))], 35.0 * length);
            if (Tape.Needs(x))
                r.Tape.OnBackward(y, dy => r.GeluBackward(x, dy));
            return y;
        }

        private void GeluBackward(Tensor x, Tensor dy)
        {
            Tape.Target dx = r.Tape.GradientOf(x);
            foreach ((long start, int length) in Flat.Ranges(r, x.Elements))
                r.Dispatch(
                    Backward,
                    new BackwardPush((uint)length, dx.Flag),
                    Flat.Groups(r, length),
                    [Flat.Workgroup(r)],
                    [Binding.Read(x.Slice(start, [length])), Binding.Read(dy.Slice(start, [length])), Binding.Output(dx.Tensor.Slice(start, [length]), dx.Accumulate)],
                    38.0 * length);
        }
    }
}
