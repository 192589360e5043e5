namespace Deit.Gpu;

/// <summary>C = op(A) op(B) and an <see cref="Epilogue"/>, where op transposes or not; batched over a leading dimension.</summary>
/// <remarks>
/// Which kernel runs a shape is measured: see <see cref="Recorder.Choose"/>. Every candidate adds the products of an
/// element in one fixed order.
/// </remarks>
public static partial class MatMulOp
{
    private readonly record struct Push(
        uint M,
        uint N,
        uint K,
        uint StrideAM,
        uint StrideAK,
        uint StrideBK,
        uint StrideBN,
        uint StrideCM,
        uint BatchA,
        uint BatchB,
        uint BatchC,
        uint LastK,
        uint RowsPerSample
    );

    private readonly record struct FinishPush(uint Count, uint N, uint Parts, uint RowsPerSample);

    /// <summary>The extents of a product and how its factors lie.</summary>
    private readonly record struct Extents(int M, int N, int K, int Batch, bool TransposeA, bool TransposeB);

    /// <summary>
    /// The types of a product: the type of both factors, the type of the result, which is the same or F32, and the
    /// arithmetic of factors of F32.
    /// </summary>
    private readonly record struct Types(DType Factors, DType Result, ProductArithmetic Products)
    {
        /// <summary>Whether the factors have 16 bits, so that matrix units may multiply them.</summary>
        public bool Short => Factors != DType.F32;

        /// <summary>As <c>bf16</c>, or <c>bf16_f32</c> with a result of F32, or <c>bf16x3</c>.</summary>
        public string Name =>
            (
                Short
                    ? Factors == Result
                        ? $"{Factors}"
                        : $"{Factors}_{Result}"
                    : $"{Products}"
            ).ToLowerInvariant();

        /// <summary>
        /// The type that matrix units are to multiply, as <see cref="MatrixShape.Input"/> names it. Null for plain F32,
        /// which they do not multiply.
        /// </summary>
        public string? UnitInput =>
            this switch
            {
                { Factors: DType.F16 } or { Products: ProductArithmetic.F16x3 } => "f16",
                { Factors: DType.BF16 } or { Products: ProductArithmetic.BF16x3 } => "bf16",
                _ => null,
            };
    }

    private static readonly TypedKernel<FinishPush> Finish = new("matmul.finish");

    extension(Recorder r)
    {
        /// <summary>The product of two matrices, with gradients for both.</summary>
        /// <param name="a">[..., M, K], or [..., K, M] when transposed; leading dimensions are a batch.</param>
        /// <param name="b">[..., K, N], or [..., N, K] when transposed; the same batch.</param>
        /// <param name="transposeA">Use the transpose of a.</param>
        /// <param name="transposeB">Use the transpose of b.</param>
        /// <returns>[..., M, N].</returns>
        /// <exception cref="ArgumentException">The extents do not fit.</exception>
        public Tensor MatMul(Tensor a, Tensor b, bool transposeA = false, bool transposeB = false)
        {
            int m = a.Shape[transposeA ? -1 : -2],
                n = b.Shape[transposeB ? -2 : -1];
            Tensor c = r.Empty([.. a.Shape.ToArray()[..^2], m, n], a.DType);
            r.MatMulInto(c, a, b, transposeA, transposeB);
            if (Tape.Needs(a, b))
                r.Tape.OnBackward(
                    c,
                    dc =>
                    {
                        if (Tape.Needs(a))
                        {
                            Tape.Target da = r.Tape.GradientOf(a);
                            if (transposeA)
                                r.MatMulInto(da.Tensor, b, dc, transposeB, true, accumulate: da.Accumulate);
                            else
                                r.MatMulInto(da.Tensor, dc, b, false, !transposeB, accumulate: da.Accumulate);
                        }
                        if (Tape.Needs(b))
                        {
                            Tape.Target db = r.Tape.GradientOf(b);
                            if (transposeB)
                                r.MatMulInto(db.Tensor, dc, a, true, transposeA, accumulate: db.Accumulate);
                            else
                                r.MatMulInto(db.Tensor, a, dc, !transposeA, false, accumulate: db.Accumulate);
                        }
                    }
                );
            return c;
        }

        /// <summary>Writes a product to c, or adds it to c; no gradient is recorded.</summary>
        /// <param name="c">[..., M, N].</param>
        /// <param name="a">[..., M, K], or [..., K, M] when transposed.</param>
        /// <param name="b">[..., K, N], or [..., N, K] when transposed.</param>
        /// <param name="transposeA">Use the transpose of a.</param>
        /// <param name="transposeB">Use the transpose of b.</param>
        /// <param name="bias">[N], added to every row; null for none.</param>
        /// <param name="accumulate">Add to the values of c.</param>
        /// <exception cref="ArgumentException">The extents do not fit, or the factors have two types, or the result
        /// neither theirs nor F32.</exception>
        public void MatMulInto(
            Tensor c,
            Tensor a,
            Tensor b,
            bool transposeA,
            bool transposeB,
            Tensor? bias = null,
            bool accumulate = false
        ) => r.MatMulInto(c, a, b, transposeA, transposeB, new Epilogue { Bias = bias, Accumulate = accumulate });

        /// <summary>Writes a product, finished by an epilogue, to c; no gradient is recorded.</summary>
        /// <param name="c">[..., M, N].</param>
        /// <param name="a">[..., M, K], or [..., K, M] when transposed.</param>
        /// <param name="b">[..., K, N], or [..., N, K] when transposed.</param>
        /// <param name="transposeA">Use the transpose of a.</param>
        /// <param name="transposeB">Use the transpose of b.</param>
        /// <param name="epilogue">How each sum is finished.</param>
        /// <exception cref="ArgumentException">The extents do not fit, or the factors have two types, or the result
        /// neither theirs nor F32.</exception>
        public void MatMulInto(Tensor c, Tensor a, Tensor b, bool transposeA, bool transposeB, in Epilogue epilogue) =>
            r.BeginMatMul(c, a, b, transposeA, transposeB, epilogue)?.Invoke();

        /// <summary>
        /// Does the same as <c>MatMulInto</c> without the pass that finishes the product. The returned action records
        /// that pass after other ops, which need no barrier before them. Null where the product's kernel does it all.
        /// </summary>
        internal Action? BeginMatMul(
            Tensor c,
            Tensor a,
            Tensor b,
            bool transposeA,
            bool transposeB,
            in Epilogue epilogue
        )
        {
            int m = a.Shape[transposeA ? -1 : -2],
                k = a.Shape[transposeA ? -2 : -1];
            int n = b.Shape[transposeB ? -2 : -1],
                inner = b.Shape[transposeB ? -1 : -2];
            long batch = a.Elements / ((long)m * k);
            if (
                k != inner
                || c.Shape[-2] != m
                || c.Shape[-1] != n
                || b.Elements != batch * k * n
                || c.Elements != batch * m * n
            )
                throw new ArgumentException(
                    $"Product of {a}{(transposeA ? " transposed" : "")} and "
                        + $"{b}{(transposeB ? " transposed" : "")} into {c}: the extents do not fit."
                );
            epilogue.Check(c, m, n, batch);
            if (
                b.DType != a.DType
                || (c.DType != a.DType && c.DType != DType.F32)
                || a.DType is not (DType.F32 or DType.F16 or DType.BF16)
            )
                throw new ArgumentException(
                    $"Product of {a} and {b} into {c}: expected factors of one floating-point type and a result of that type or F32."
                );
            // A bound tensor starts at a multiple of Storage.Alignment; then so many neighbours may be read as 16
            // bytes: four values of 32 bits, or eight of 16, of which matrix units read the factors alone.
            int contiguous = (transposeA ? m : k) | (transposeB ? k : n);
            Types types = new(
                a.DType,
                c.DType,
                a.DType == DType.F32 && contiguous % 8 == 0 ? r.Products : ProductArithmetic.F32
            );
            bool vectors = types.Short ? contiguous % 8 == 0 : (contiguous | n) % 4 == 0;
            Extents extents = new(m, n, k, (int)batch, transposeA, transposeB);
            return Begin(r, Choose(r, types, extents, vectors, r.Fixed?.Hold(b) == true), extents, c, a, b, epilogue);
        }
    }

    private static void Record(
        Recorder r,
        Variant variant,
        Extents x,
        Tensor c,
        Tensor a,
        Tensor b,
        Epilogue epilogue
    ) => Begin(r, variant, x, c, a, b, epilogue)?.Invoke();

    // Records a product. Where its kernel does not finish it, because K is split or the kernel cannot do the whole
    // epilogue, a pass does; the returned action records that pass. Null where there is no such pass.
    private static Action? Begin(
        Recorder r,
        Variant variant,
        Extents x,
        Tensor c,
        Tensor a,
        Tensor b,
        Epilogue epilogue
    )
    {
        if (epilogue.RowSums is { } rowSums && variant.Kernel.Addresses == 0)
            return BeginWithColumnSum(r, variant, x, c, a, b, epilogue, rowSums);
        int part = PartOf(x.K, variant.Splits),
            parts = (x.K + part - 1) / part;
        if (parts > 1)
        {
            Tensor sums = r.Empty([parts, x.M, x.N]);
            Multiply(r, variant, x, part, parts, sums, a, b, default);
            return () => FinishParts(r, x, c, sums, epilogue);
        }
        if (!variant.Fuses && !epilogue.IsPlain)
        {
            // The sums wait in the tensor that the pass writes, since it reads each before it overwrites it.
            Tensor sums = epilogue.PreActivation ?? (epilogue.Accumulate ? r.Empty(c.Shape) : c);
            Multiply(r, variant, x, x.K, x.Batch, sums, a, b, new Epilogue { Bias = epilogue.Bias });
            return () => FinishParts(r, x, c, sums, epilogue with { Bias = null, PreActivation = null });
        }
        Multiply(r, variant, x, x.K, x.Batch, c, a, b, epilogue);
        return null;
    }

    // The sums of A's rows by an op of their own: A is transposed, so that they are those of its columns in memory.
    private static Action BeginWithColumnSum(
        Recorder r,
        Variant variant,
        Extents x,
        Tensor c,
        Tensor a,
        Tensor b,
        Epilogue epilogue,
        Tensor rowSums
    )
    {
        Tensor chunks = r.BeginColumnSum(a);
        Action? finish = Begin(r, variant, x, c, a, b, epilogue with { RowSums = null, AccumulateRowSums = false });
        return () =>
        {
            finish?.Invoke();
            r.FinishColumnSum(chunks, rowSums, epilogue.AccumulateRowSums);
        };
    }

    // A batch of products, or of the parts of one.
    private static void Multiply(
        Recorder r,
        Variant variant,
        Extents x,
        int depth,
        int count,
        Tensor c,
        Tensor a,
        Tensor b,
        Epilogue epilogue
    )
    {
        uint m = (uint)x.M,
            n = (uint)x.N,
            step = (uint)depth;
        bool split = depth < x.K,
            byColumns = variant.Kernel == Columns;
        if (byColumns)
            variant = WithRowsFor(x.M, variant);
        Factors lie = byColumns ? ForColumns(r, variant, x, a, b) : AsTheyLie(x, a, b);
        Push push = new(
            m,
            n,
            step,
            lie.StrideAM,
            lie.StrideAK,
            lie.StrideBK,
            lie.StrideBN,
            n,
            split ? step * lie.StrideAK : lie.BatchA,
            split ? step * lie.StrideBK : lie.BatchB,
            m * n,
            (uint)x.K - (step * (uint)(split ? count - 1 : 0)),
            epilogue.RowsPerSample(x.M)
        );
        Binding[] finish = epilogue.Bindings(c, read: a);
        // Sums of rows are one more block of columns, which are ones.
        uint columns = epilogue.RowSums is null ? n : n + variant.BlockN;
        r.Dispatch(
            variant.Kernel,
            push,
            new WorkgroupCount(
                WorkgroupCount.Cover(columns, variant.BlockN),
                WorkgroupCount.Cover(m, variant.BlockM),
                (uint)count
            ),
            [
                .. variant.Specialization,
                .. byColumns
                    ? (uint[])[x.TransposeA ? 1 : lie.StrideAM, lie.StrideAK]
                    : [x.TransposeA ? 0u : 1u, x.TransposeB ? 0u : 1u],
                epilogue.Flags(fours: variant.Fours && x.N % 4 == 0),
            ],
            byColumns
                ? epilogue.BindingsByAddress(c, lie.A, lie.B)
                : [Binding.Read(lie.A), Binding.Read(lie.B), .. variant.Fuses ? finish : finish[..2]],
            2.0 * x.Batch * x.M * x.N * x.K
        );
    }

    // The factors of a product, and how many elements lie between two of A[m, k] and B[k, n], and between two matrices.
    private readonly record struct Factors(
        Tensor A,
        Tensor B,
        uint StrideAM,
        uint StrideAK,
        uint StrideBK,
        uint StrideBN,
        uint BatchA,
        uint BatchB
    );

    private static Factors AsTheyLie(Extents x, Tensor a, Tensor b)
    {
        uint m = (uint)x.M,
            n = (uint)x.N,
            k = (uint)x.K;
        return new(
            a,
            b,
            x.TransposeA ? 1 : k,
            x.TransposeA ? m : 1,
            x.TransposeB ? 1 : n,
            x.TransposeB ? k : 1,
            m * k,
            k * n
        );
    }

    // sums [parts, ...] of c
    private static void FinishParts(Recorder r, Extents x, Tensor c, Tensor sums, Epilogue epilogue)
    {
        bool fours = x.N % 4 == 0;
        long items = fours ? c.Elements / 4 : c.Elements;
        r.Dispatch(
            Finish[c.DType],
            new FinishPush((uint)items, (uint)x.N, (uint)(sums.Elements / c.Elements), epilogue.RowsPerSample(x.M)),
            ElementwiseLayout.Workgroups(r.Info, items),
            [ElementwiseLayout.WorkgroupSize(r.Info), epilogue.Flags(fours)],
            [Binding.Read(sums), .. epilogue.Bindings(c, read: sums)],
            sums.Elements
        );
    }

    // How deep the parts of K are: equal but for the last one, and multiples of the depth that kernels read at a time.
    private static int PartOf(int k, int splits) =>
        splits == 1 ? k : Math.Min(k, ((((k + splits - 1) / splits) + 31) / 32) * 32);
}
