namespace Deit.Gpu;

/// <summary>y = x in another floating-point type, rounded to nearest even; infinities stay, NaNs stay NaNs.</summary>
/// <remarks>Works on 32-bit words, so on devices without 16-bit storage too.</remarks>
public static class CastOp
{
    private readonly record struct Push(uint Count);

    private static readonly Kernel<Push> ToF16 = new("cast.f16_from_f32"),
        ToBF16 = new("cast.bf16_from_f32");
    private static readonly Kernel<Push> FromF16 = new("cast.f32_from_f16"),
        FromBF16 = new("cast.f32_from_bf16");

    extension(Recorder r)
    {
        /// <summary>
        /// x in another type, with its gradient: dL/dx = dL/dy in the type of x. The tensor itself when the type is the
        /// same.
        /// </summary>
        /// <exception cref="ArgumentException">The types are not F32 and F16 or BF16.</exception>
        public Tensor Cast(Tensor x, DType type)
        {
            if (x.DType == type)
                return x;
            Tensor y = r.Empty(x.Shape, type);
            r.CastTo(x, y);
            if (Tape.Needs(x))
                r.Tape.OnBackward(y, dy => r.Tape.PassGradient(x, r.Cast(dy, x.DType)));
            return y;
        }

        /// <summary>Converts x onto y, of any and the same length; no gradient is recorded.</summary>
        /// <exception cref="ArgumentException">The lengths differ, or the types are not F32 and F16 or BF16.</exception>
        public void CastTo(Tensor x, Tensor y)
        {
            if (x.Elements != y.Elements)
                throw new ArgumentException($"Cast of {x} to {y}: expected the same number of elements.");
            Kernel<Push> kernel = (x.DType, y.DType) switch
            {
                (DType.F32, DType.F16) => ToF16,
                (DType.F32, DType.BF16) => ToBF16,
                (DType.F16, DType.F32) => FromF16,
                (DType.BF16, DType.F32) => FromBF16,
                _ => throw new ArgumentException(
                    $"Cast of {x} to {y}: expected F32 on one side and F16 or BF16 on the other."
                ),
            };
            foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, x.Elements))
                r.Dispatch(
                    kernel,
                    new Push((uint)length),
                    ElementwiseLayout.Workgroups(r.Info, (length + 1) / 2),
                    [ElementwiseLayout.WorkgroupSize(r.Info)],
                    [Binding.Read(x.Slice(start, [length])), Binding.Write(y.Slice(start, [length]))]
                );
        }
    }
}
