namespace Deit.Gpu;

/// <summary>C = op(A) op(B) and an <see cref="Epilogue"/>, where op transposes or not; batched over a leading dimension.</summary>
/// <remarks>Which kernel runs a shape is measured: see <see cref="KernelChoices"/>. Every candidate adds the products of an element in one fixed order.</remarks>
public static class MatMulOp
{
    private readonly record struct Push(uint M, uint N, uint K, uint StrideAM, uint StrideAK, uint StrideBK, uint StrideBN, uint StrideCM, uint BatchA, uint BatchB, uint BatchC, uint LastK, uint RowsPerSample);

    private readonly record struct FinishPush(uint Count, uint N, uint Parts, uint RowsPerSample);

    /// <summary>The extents of a product and how its factors lie.</summary>
    private readonly record struct Extents(int M, int N, int K, int Batch, bool TransposeA, bool TransposeB);

    /// <summary>The types of a product: of both factors, and of the result, which is that or F32.</summary>
    private readonly record struct Types(DType Factors, DType Result)
    {
        /// <summary>Whether the factors have 16 bits, so that matrix units may multiply them.</summary>
        public bool Short => Factors != DType.F32;

        /// <summary>As <c>bf16</c>, or <c>bf16_f32</c> with a result of F32.</summary>
        public string Name => Factors == Result ? $"{Factors}".ToLowerInvariant() : $"{Factors}_{Result}".ToLowerInvariant();
    }

    /// <summary>
    /// A kernel with its tile: how many rows and columns a workgroup covers, and its specialization constants before those of layout and
    /// epilogue. Into how many parts K is split, whether the kernel itself does more of an epilogue than bias and accumulation, and whether
    /// it finishes four neighbours at a time where it may.
    /// </summary>
    private sealed record Variant(string Name, Kernel<Push> Kernel, uint BlockM, uint BlockN, uint[] Specialization, int Splits = 1, bool Fuses = true, bool Fours = false);

    private static readonly Kernel<Push> Resident = new("matmul.resident", fullSubgroups: true);
    private static readonly Kernel<Push> Tiled = new("matmul.tiled");
    private static readonly Kernel<Push> TiledF16 = new("matmul.tiled.f16"), TiledF16ToF32 = new("matmul.tiled.f16_f32");
    private static readonly Kernel<Push> TiledBF16 = new("matmul.tiled.bf16"), TiledBF16ToF32 = new("matmul.tiled.bf16_f32");
    private static readonly Kernel<Push> CooperativeF16 = new("matmul.cooperative.f16", fullSubgroups: true), CooperativeF16ToF32 = new("matmul.cooperative.f16_f32", fullSubgroups: true);
    private static readonly Kernel<Push> CooperativeBF16 = new("matmul.cooperative.bf16", fullSubgroups: true), CooperativeBF16ToF32 = new("matmul.cooperative.bf16_f32", fullSubgroups: true);

    private static readonly TypedKernel<FinishPush> Finish = new("matmul.finish");

    private static readonly int[] SplitCounts = [4, 16];
    private const int LargestSplit = 4096; // rows and columns of C: larger ones have tiles enough

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
            int m = a.Shape[transposeA ? -1 : -2], n = b.Shape[transposeB ? -2 : -1];
            Tensor c = r.Empty([.. a.Shape.ToArray()[..^2], m, n], a.DType);
            r.MatMulInto(c, a, b, transposeA, transposeB);
            if (Tape.Needs(a, b))
                r.Tape.OnBackward(c, dc =>
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
                });
            return c;
        }

        /// <summary>Writes a product to c, or adds it to c; no gradient is recorded.</summary>
        /// <param name="c">[..., M, N].</param>
        /// <param name="a">[..., M, K], or [..., K, M] when transposed.</param>
        /// <param name="b">[..., K, N], or [..., N, K] when transposed.</param>
        /// <param name="transposeA">Use the transpose of a.</param>
        /// <param name="transposeB">Use the transpose of b.</param>
        /// <param name="bias">[N], added to every row; null for none.</param>
        /// <param name="accumulate">Add to what c holds.</param>
        /// <exception cref="ArgumentException">The extents do not fit, or the factors have two types, or the result neither theirs nor F32.</exception>
        public void MatMulInto(Tensor c, Tensor a, Tensor b, bool transposeA, bool transposeB, Tensor? bias = null, bool accumulate = false) =>
            r.MatMulInto(c, a, b, transposeA, transposeB, new Epilogue { Bias = bias, Accumulate = accumulate });

        /// <summary>Writes what an epilogue makes of a product to c; no gradient is recorded.</summary>
        /// <param name="c">[..., M, N].</param>
        /// <param name="a">[..., M, K], or [..., K, M] when transposed.</param>
        /// <param name="b">[..., K, N], or [..., N, K] when transposed.</param>
        /// <param name="transposeA">Use the transpose of a.</param>
        /// <param name="transposeB">Use the transpose of b.</param>
        /// <param name="epilogue">What becomes of each sum.</param>
        /// <exception cref="ArgumentException">The extents do not fit, or the factors have two types, or the result neither theirs nor F32.</exception>
        public void MatMulInto(Tensor c, Tensor a, Tensor b, bool transposeA, bool transposeB, in Epilogue epilogue)
        {
            int m = a.Shape[transposeA ? -1 : -2], k = a.Shape[transposeA ? -2 : -1];
            int n = b.Shape[transposeB ? -2 : -1], inner = b.Shape[transposeB ? -1 : -2];
            long batch = a.Elements / ((long)m * k);
            if (k != inner || c.Shape[-2] != m || c.Shape[-1] != n || b.Elements != batch * k * n || c.Elements != batch * m * n)
                throw new ArgumentException($"Product of {a}{(transposeA ? " transposed" : "")} and {b}{(transposeB ? " transposed" : "")} into {c}: the extents do not fit.");
            epilogue.Check(c, m, n, batch);
            Types types = new(a.DType, c.DType);
            if (b.DType != a.DType || (c.DType != a.DType && c.DType != DType.F32) || a.DType is not (DType.F32 or DType.F16 or DType.BF16))
                throw new ArgumentException($"Product of {a} and {b} into {c}: expected factors of one floating-point type and a result of that type or F32.");
            // What is bound starts at a multiple of Storage.Alignment; then so many neighbours may be read as 16 bytes: four values of 32 bits,
            // or eight of 16, of which matrix units read the factors alone.
            bool vectors = types.Short ? ((transposeA ? m : k) | (transposeB ? k : n)) % 8 == 0 : ((transposeA ? m : k) | (transposeB ? k : n) | n) % 4 == 0;
            Extents extents = new(m, n, k, (int)batch, transposeA, transposeB);
            Record(r, Choose(r, types, extents, vectors), extents, c, a, b, epilogue);
        }
    }

    // A product, and a pass that finishes it where its kernel does not: where K is split, or the epilogue is more than the kernel can.
    private static void Record(Recorder r, Variant variant, Extents x, Tensor c, Tensor a, Tensor b, Epilogue epilogue)
    {
        int part = PartOf(x.K, variant.Splits), parts = (x.K + part - 1) / part;
        if (parts > 1)
        {
            Tensor sums = r.Empty([parts, x.M, x.N]);
            Multiply(r, variant, x, part, parts, sums, a, b, default);
            FinishParts(r, x, c, sums, epilogue);
        }
        else if (!variant.Fuses && !epilogue.IsPlain)
        {
            // The sums wait for the pass in what it writes, since it reads each before it overwrites it.
            Tensor sums = epilogue.PreActivation ?? (epilogue.Accumulate ? r.Empty(c.Shape) : c);
            Multiply(r, variant, x, x.K, x.Batch, sums, a, b, new Epilogue { Bias = epilogue.Bias });
            FinishParts(r, x, c, sums, epilogue with { Bias = null, PreActivation = null });
        }
        else
            Multiply(r, variant, x, x.K, x.Batch, c, a, b, epilogue);
    }

    // A batch of products, or of the parts of one.
    private static void Multiply(Recorder r, Variant variant, Extents x, int depth, int count, Tensor c, Tensor a, Tensor b, Epilogue epilogue)
    {
        uint m = (uint)x.M, n = (uint)x.N, k = (uint)x.K, step = (uint)depth;
        uint strideAK = x.TransposeA ? m : 1, strideBK = x.TransposeB ? 1 : n;
        bool split = depth < x.K;
        Push push = new(
            m,
            n,
            step,
            x.TransposeA ? 1 : k,
            strideAK,
            strideBK,
            x.TransposeB ? k : 1,
            n,
            split ? step * strideAK : m * k,
            split ? step * strideBK : k * n,
            m * n,
            split ? k - (step * (uint)(count - 1)) : k,
            epilogue.RowsPerSample(x.M));
        Binding[] finish = epilogue.Bindings(c, read: a);
        r.Dispatch(
            variant.Kernel,
            push,
            new Groups(Groups.Cover(n, variant.BlockN), Groups.Cover(m, variant.BlockM), (uint)count),
            [.. variant.Specialization, x.TransposeA ? 0u : 1u, x.TransposeB ? 0u : 1u, epilogue.Flags(fours: variant.Fours && x.N % 4 == 0)],
            [Binding.Read(a), Binding.Read(b), .. variant.Fuses ? finish : finish[..2]],
            2.0 * x.Batch * x.M * x.N * x.K);
    }

    // sums [parts, ...] of c
    private static void FinishParts(Recorder r, Extents x, Tensor c, Tensor sums, Epilogue epilogue)
    {
        bool fours = x.N % 4 == 0;
        long items = fours ? c.Elements / 4 : c.Elements;
        r.Dispatch(
            Finish[c.DType],
            new FinishPush((uint)items, (uint)x.N, (uint)(sums.Elements / c.Elements), epilogue.RowsPerSample(x.M)),
            Flat.Groups(r, items),
            [Flat.Workgroup(r), epilogue.Flags(fours)],
            [Binding.Read(sums), .. epilogue.Bindings(c, read: sums)],
            sums.Elements);
    }

    // How deep the parts of K are: equal but for the last one, and multiples of what kernels read at a time.
    private static int PartOf(int k, int splits) => splits == 1 ? k : Math.Min(k, ((((k + splits - 1) / splits) + 31) / 32) * 32);

    private static Variant Choose(Recorder r, Types types, Extents x, bool vectors)
    {
        GpuInfo info = r.Device.Info;
        if (Forced is not null)
            return All(info, types, x.K, vectors).FirstOrDefault(variant => variant.Name == Forced) ?? Variants(info, types, x.K, vectors)[0];
        (string key, Extents size, Variant[] variants) = Candidates(info, types, x, vectors);
        string name = r.Device.Choices.Choose(key, [.. variants.Select(variant => new KernelChoices.Candidate(variant.Name, recorder =>
        {
            Tensor a = Ones(x.TransposeA ? [size.Batch, size.K, size.M] : [size.Batch, size.M, size.K]), b = Ones(x.TransposeB ? [size.Batch, size.N, size.K] : [size.Batch, size.K, size.N]);
            Record(recorder, variant, size, recorder.Empty([size.Batch, size.M, size.N], types.Result), a, b, default);

            Tensor Ones(Shape shape) => recorder.Cast(recorder.Full(shape, 1), types.Factors);
        }))]);
        return variants.First(variant => variant.Name == name);
    }

    // What may run a product, at which size it is measured, and the key of the choice, on which alone both depend.
    private static (string Key, Extents Size, Variant[] Variants) Candidates(GpuInfo info, Types types, Extents x, bool vectors)
    {
        // Rows and columns of one power of two share a choice, and above the cap all do: beyond it a kernel's rate is its plateau. Only what a
        // split of K brings goes on rising.
        int splits = MostSplits(info, x), cap = info.Type == GpuType.Cpu ? 512 : splits > 1 ? LargestSplit : 2048;
        Extents size = x with { M = Bucket(x.M, cap), N = Bucket(x.N, cap), K = Math.Min((x.K + 15) / 16 * 16, cap), Batch = x.Batch > 1 ? 4 : 1 };
        string key = $"matmul {types.Name} {(x.TransposeA ? 't' : 'n')}{(x.TransposeB ? 't' : 'n')} {size.M} {size.N} {size.K}{(x.Batch > 1 ? " batched" : "")}{(vectors ? "" : " odd")}{(splits > 1 ? $" split {splits}" : "")}";
        return (key, size, [.. Variants(info, types, x.K, vectors), .. Split(Variants(info, types with { Result = DType.F32 }, x.K, vectors), size.M, size.N, splits)]);
    }

    // Into how many parts K may be split: parts of at least 128, whose sums take at most 64 MiB, at the size that is measured too. A CPU
    // driver's few threads are busy with a few tiles.
    private static int MostSplits(GpuInfo info, Extents x)
    {
        if (info.Type == GpuType.Cpu || x.Batch > 1 || Math.Max(x.M, x.N) > LargestSplit)
            return 1;
        long sums = (long)Bucket(x.M, LargestSplit) * Bucket(x.N, LargestSplit);
        return SplitCounts.LastOrDefault(splits => x.K >= 128 * splits && splits * sums <= 1 << 24, 1);
    }

    // For where C has too few tiles to keep a device busy: its parts are computed side by side. No API tells how many tiles a device runs at
    // once, so that whether a split helps is measured; with more than 256 tiles it cannot by much.
    private static IEnumerable<Variant> Split(IEnumerable<Variant> variants, int m, int n, int most) =>
        from variant in variants
        where variant.Fuses && Groups.Cover(m, variant.BlockM) * Groups.Cover(n, variant.BlockN) <= 256
        from splits in SplitCounts
        where splits <= most
        select variant with { Name = $"{variant.Name} split {splits}", Splits = splits };

    private static int Bucket(int size, int cap)
    {
        int bucket = 16;
        while (bucket < size && bucket < cap)
            bucket *= 2;
        return bucket;
    }

    // The first is the choice when nothing may be measured. Wide register blocks suit narrow subgroups, shared memory wide ones.
    private static Variant[] Variants(GpuInfo info, Types types, int k, bool vectors)
    {
        if (types.Short)
            return [.. All(info, types, k, vectors).Where(v => v.Splits == 1 && v.Specialization[0] <= info.MaxWorkgroupSize)];
        if (!IsNarrow(info))
            return [.. Tiles().Where(v => v.Specialization[0] <= info.MaxWorkgroupSize)];
        // With four loads for one the wide block takes a CPU driver ten seconds to compile: too long for extents that are rare and small.
        return vectors ? [Wide(info, k, vectors), Small(info, vectors)] : [Narrow(info, vectors)];
    }

    private static IEnumerable<Variant> Tiles(Types? types = null)
    {
        Kernel<Push> kernel = types?.Name switch { null or "f32" => Tiled, "f16" => TiledF16, "f16_f32" => TiledF16ToF32, "bf16" => TiledBF16, _ => TiledBF16ToF32 };
        return ((Variant[])[Tile(64, 64, 16, 4, 4), Tile(32, 32, 16, 2, 2), Tile(128, 64, 16, 8, 4), Tile(128, 128, 16, 8, 8)]).Select(variant => variant with { Kernel = kernel });
    }

    // A tile for each shape of the matrix units that takes these factors and sums in F32; empty where there is none, or where shared memory
    // or workgroups are too small. On a CPU driver small tiles: its compiler unrolls them.
    private static IEnumerable<Variant> Cooperative(GpuInfo info, Types types)
    {
        string input = $"{types.Factors}".ToLowerInvariant();
        if (info.MatrixShapes.Where(shape => shape.Input == input && shape.Accumulator == "f32" && shape.Scope == "subgroup").OrderBy(shape => Math.Abs((int)shape.K - 16)).FirstOrDefault() is not { } unit)
            return [];
        Kernel<Push> kernel = types.Name switch { "f16" => CooperativeF16, "f16_f32" => CooperativeF16ToF32, "bf16" => CooperativeBF16, _ => CooperativeBF16ToF32 };
        (uint M, uint N, uint K, uint SubgroupsM, uint SubgroupsN)[] tiles = info.Type == GpuType.Cpu
            ? [(32, 32, 32, 1, 1), (64, 32, 32, 2, 1)]
            : [(128, 128, 32, 2, 4), (64, 64, 32, 2, 2), (128, 64, 32, 2, 2), (64, 128, 32, 2, 2), (256, 128, 32, 4, 2)];
        return tiles
            .Where(t => t.M % (t.SubgroupsM * unit.M) == 0 && t.N % (t.SubgroupsN * unit.N) == 0 && t.K % unit.K == 0)
            .Where(t => t.SubgroupsM * t.SubgroupsN * info.SubgroupSize <= info.MaxWorkgroupSize && SharedBytes(t.M, t.N, t.K) <= info.SharedMemoryBytes)
            .Select(t => new Variant(
                $"cooperative {t.M}x{t.N}x{t.K} {t.SubgroupsM}x{t.SubgroupsN} {unit.M}x{unit.N}x{unit.K}",
                kernel,
                t.M,
                t.N,
                [(uint)(t.SubgroupsM * t.SubgroupsN * info.SubgroupSize), t.M, t.N, t.K, t.SubgroupsM, t.SubgroupsN, unit.M, unit.N, unit.K, (uint)info.SubgroupSize],
                Fours: true));

        // Two slabs of both factors; the larger of a slab's two forms, with 16 bytes of skew a row.
        static long SharedBytes(uint m, uint n, uint k) => 2 * 2 * (Math.Max(m * (k + 8), k * (m + 8)) + Math.Max(n * (k + 8), k * (n + 8)));
    }

    // Whatever runs on the device, whether it is a candidate or not.
    private static Variant[] All(GpuInfo info, Types types, int k, bool vectors)
    {
        IEnumerable<Variant> splits = Split(Whole(types with { Result = DType.F32 }), 1, 1, SplitCounts[^1]).Where(variant => PartOf(k, variant.Splits) < k);
        return [.. Whole(types), .. splits];

        IEnumerable<Variant> Whole(Types whole) =>
            whole.Short ? [.. vectors ? Cooperative(info, whole) : [], .. Tiles(whole)]
            : [.. IsNarrow(info) ? (Variant[])[Wide(info, k, vectors), Narrow(info, vectors), Small(info, vectors)] : [], .. Tiles()];
    }

    private static bool IsNarrow(GpuInfo info) => info.SubgroupSize is 4 or 8 or 16;

    // As deep as pads K least, the deeper of equals; a name leaves the depth out, so that all K of a class share its choice.
    private static Variant Wide(GpuInfo info, int k, bool vectors) => Keep(info, 128, 8, ((uint[])[96, 64]).MinBy(d => (k + d - 1) / d * d), vectors);

    private static Variant Narrow(GpuInfo info, bool vectors) => Keep(info, 128, 4, 64, vectors);

    private static Variant Small(GpuInfo info, bool vectors) => Keep(info, 32, 4, 32, vectors);

    private static Variant Keep(GpuInfo info, uint rows, uint columns, uint depth, bool vectors)
    {
        uint subgroup = (uint)info.SubgroupSize;
        return new($"resident {rows}x{columns}", Resident, rows, subgroup * columns, [subgroup, rows, columns, depth, subgroup, vectors ? 1u : 0u], Fuses: false);
    }

    private static Variant Tile(uint bm, uint bn, uint bk, uint tm, uint tn)
    {
        uint threads = bm / tm * (bn / tn);
        return new($"tiled {bm}x{bn}x{bk} {tm}x{tn}", Tiled, bm, bn, [threads, bm, bn, bk, tm, tn, threads]);
    }

    /// <summary>The names of all variants that run on a device, whether they are its candidates or not: tests hold each to the oracle.</summary>
    internal static IReadOnlyList<string> Names(GpuInfo info, int k, DType factors = DType.F32, DType result = DType.F32) => [.. All(info, new Types(factors, result), k, vectors: true).Select(v => v.Name)];

    /// <summary>The names of what is measured for a product of F32.</summary>
    internal static IReadOnlyList<string> CandidateNames(GpuInfo info, int m, int n, int k) => [.. Candidates(info, new Types(DType.F32, DType.F32), new Extents(m, n, k, 1, false, false), vectors: true).Variants.Select(v => v.Name)];

    /// <summary>Records products of this thread with a variant of this name, unmeasured; null for the measured choice.</summary>
    [ThreadStatic]
    internal static string? Forced;
}
