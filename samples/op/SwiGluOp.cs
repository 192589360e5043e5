using Deit.Gpu;

namespace Deit.Samples.Op;

/// <summary>
/// y = a * b * s with s = 1 / (1 + exp(-a)), where each row of x is a, then b (Shazeer, arXiv 2002.05202);
/// da = dy * b * s * (1 + a * (1 - s)), db = dy * a * s.
/// </summary>
internal static class SwiGluOp
{
    private readonly record struct Push(uint Count, uint Columns);

    private readonly record struct BackwardPush(uint Count, uint Columns, uint Accumulate);

    private static readonly Kernel<Push> Forward = new("swiglu", Shader("swiglu.spv"));
    private static readonly Kernel<BackwardPush> Backward = new("swiglu.backward", Shader("swiglu.backward.spv"));

    extension(Recorder r)
    {
        /// <summary>Gates the second half of each row with the SiLU of the first.</summary>
        /// <param name="x">F32 [..., 2 * C].</param>
        /// <returns>F32 [..., C].</returns>
        /// <exception cref="ArgumentException">The type is not F32, or the last extent is odd.</exception>
        public Tensor SwiGlu(Tensor x)
        {
            if (x.DType != DType.F32 || x.Shape.Columns % 2 != 0)
                throw new ArgumentException($"SwiGLU of {x}: expected F32 with an even last extent.", nameof(x));
            int columns = x.Shape.Columns / 2;
            Tensor y = r.Empty([.. x.Shape.SkipLast(1), columns]);
            (uint count, WorkgroupCount workgroups) = ((uint)y.Elements, Workgroups(r, y.Elements));
            r.Dispatch(
                Forward,
                new Push(count, (uint)columns),
                workgroups,
                specialization: [],
                [Binding.Read(x), Binding.Write(y)],
                flops: 12 * y.Elements
            );
            if (Tape.Needs(x))
                r.Tape.OnBackward(
                    y,
                    dy =>
                    {
                        Tape.Target dx = r.Tape.GradientOf(x);
                        r.Dispatch(
                            Backward,
                            new BackwardPush(count, (uint)columns, dx.Flag),
                            workgroups,
                            specialization: [],
                            [Binding.Read(x), Binding.Read(dy), dx.Binding],
                            flops: 19 * y.Elements
                        );
                    }
                );
            return y;
        }
    }

    // 64 elements a workgroup; where there are more workgroups than a device runs, each takes several times 64.
    private static WorkgroupCount Workgroups(Recorder r, long elements) =>
        new(Math.Min(WorkgroupCount.Cover(elements, 64), r.Info.MaxWorkgroups.X));

    private static byte[] Shader(string name)
    {
        using Stream stream = typeof(SwiGluOp).Assembly.GetManifestResourceStream(name)!;
        byte[] spirv = new byte[stream.Length];
        stream.ReadExactly(spirv);
        return spirv;
    }
}
