namespace Deit.Gpu;

/// <summary>y += x, and y = a + b with gradients: dL/da = dL/db = dL/dy.</summary>
public static class AddOp
{
    private readonly record struct Push(uint Count);

    private static readonly Kernel<Push> Forward = new("add");

    extension(Recorder r)
    {
        /// <summary>Adds x to y in place; no gradient is recorded.</summary>
        /// <exception cref="ArgumentException">The lengths differ.</exception>
        public void AddTo(Tensor y, Tensor x)
        {
            if (x.Elements != y.Elements || x.DType != DType.F32 || y.DType != DType.F32)
                throw new ArgumentException($"Adding {x} to {y}: expected the same number of F32 elements.");
            foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, y.Elements))
                r.Dispatch(
                    Forward,
                    new Push((uint)length),
                    ElementwiseLayout.Workgroups(r.Info, length),
                    [ElementwiseLayout.WorkgroupSize(r.Info)],
                    [Binding.Read(x.Slice(start, [length])), Binding.ReadWrite(y.Slice(start, [length]))],
                    length
                );
        }

        /// <summary>y = a + b, elementwise.</summary>
        /// <exception cref="ArgumentException">The shapes differ.</exception>
        public Tensor Add(Tensor a, Tensor b)
        {
            if (a.Shape != b.Shape)
                throw new ArgumentException($"Adding {a} and {b}: expected the same shape.");
            Tensor y = r.Empty(a.Shape);
            r.Copy(a, y);
            r.AddTo(y, b);
            if (Tape.Needs(a, b))
                r.Tape.OnBackward(
                    y,
                    dy =>
                    {
                        r.Tape.PassGradient(a, dy);
                        r.Tape.PassGradient(b, dy);
                    }
                );
            return y;
        }
    }
}
