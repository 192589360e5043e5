namespace Deit.Gpu;

/// <summary>C = op(A) op(B) (+ bias) (+ C), where op transposes or not; batched over a leading dimension.</summary>
/// <remarks>Which kernel runs a shape is measured: see <see cref="KernelChoices"/>. Every candidate adds the products of an element in one fixed order.</remarks>
public static partial class MatMulOp
{
    private readonly record struct Push(uint M, uint N, uint K, uint StrideAM, uint StrideAK, uint StrideBK, uint StrideBN, uint StrideCM, uint BatchA, uint BatchB, uint BatchC, uint Flags);

    /// <summary>The types of a product: of both factors, of the result, which is that or F32, and what factors of F32 are multiplied in.</summary>
    private readonly record struct Types(DType Factors, DType Result, ProductArithmetic Products)
    {
        /// <summary>Whether the factors have 16 bits, so that matrix units may multiply them.</summary>
        public bool Short => Factors != DType.F32;

        /// <summary>As <c>bf16</c>, or <c>bf16_f32</c> with a result of F32, or <c>bf16x3</c>.</summary>
        public string Name => (Short ? Factors == Result ? $"{Factors}" : $"{Factors}_{Result}" : $"{Products}").ToLowerInvariant();

        /// <summary>What matrix units are to multiply, as <see cref="MatrixShape.Input"/> has it; null for plain F32, which is none of theirs.</summary>
        public string? UnitInput => this switch
        {
            { Factors: DType.F16 } or { Products: ProductArithmetic.F16x3 } => "f16",
            { Factors: DType.BF16 } or { Products: ProductArithmetic.BF16x3 } => "bf16",
            _ => null,
        };
    }

    /// <summary>A kernel with its tile: how many rows and columns a workgroup covers, and its specialization constants.</summary>
    private sealed record Variant(string Name, Kernel<Push> Kernel, uint BlockM, uint BlockN, uint[] Specialization, bool LayoutConstants, bool OnUnits = false);

    private static readonly Kernel<Push> Resident = new("matmul.resident", fullSubgroups: true);
    private static readonly Kernel<Push> Tiled = new("matmul.tiled");
    private static readonly Kernel<Push> TiledF16 = new("matmul.tiled.f16"), TiledF16ToF32 = new("matmul.tiled.f16_f32");
    private static readonly Kernel<Push> TiledBF16 = new("matmul.tiled.bf16"), TiledBF16ToF32 = new("matmul.tiled.bf16_f32");

    private const uint AccumulateFlag = 1, BiasFlag = 2;

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
        public void MatMulInto(Tensor c, Tensor a, Tensor b, bool transposeA, bool transposeB, Tensor? bias = null, bool accumulate = false)
        {
            int m = a.Shape[transposeA ? -1 : -2], k = a.Shape[transposeA ? -2 : -1];
            int n = b.Shape[transposeB ? -2 : -1], inner = b.Shape[transposeB ? -1 : -2];
            long batch = a.Elements / ((long)m * k);
            if (k != inner || c.Shape[-2] != m || c.Shape[-1] != n || b.Elements != batch * k * n || c.Elements != batch * m * n || (bias is not null && bias.Elements != n))
                throw new ArgumentException($"Product of {a}{(transposeA ? " transposed" : "")} and {b}{(transposeB ? " transposed" : "")} into {c}{(bias is null ? "" : $" with bias {bias}")}: the extents do not fit.");
            if (b.DType != a.DType || (c.DType != a.DType && c.DType != DType.F32) || a.DType is not (DType.F32 or DType.F16 or DType.BF16))
                throw new ArgumentException($"Product of {a} and {b} into {c}: expected factors of one floating-point type and a result of that type or F32.");
            // What is bound starts at a multiple of Storage.Alignment; then so many neighbours may be read as 16 bytes: four values of 32 bits,
            // or eight of 16, of which matrix units read the factors alone.
            int contiguous = (transposeA ? m : k) | (transposeB ? k : n);
            Types types = new(a.DType, c.DType, a.DType == DType.F32 && contiguous % 8 == 0 ? r.Products : ProductArithmetic.F32);
            bool vectors = types.Short ? contiguous % 8 == 0 : (contiguous | n) % 4 == 0;
            Variant variant = Choose(r, types, m, n, k, (int)batch, transposeA, transposeB, vectors);
            Record(r, variant, c, a, b, bias, m, n, k, (uint)batch, transposeA, transposeB, accumulate);
        }
    }

    private static void Record(Recorder r, Variant variant, Tensor c, Tensor a, Tensor b, Tensor? bias, int m, int n, int k, uint batch, bool transposeA, bool transposeB, bool accumulate)
    {
        Push push = new(
            (uint)m,
            (uint)n,
            (uint)k,
            transposeA ? 1 : (uint)k,
            transposeA ? (uint)m : 1,
            transposeB ? 1 : (uint)n,
            transposeB ? (uint)k : 1,
            (uint)n,
            (uint)(m * k),
            (uint)(k * n),
            (uint)(m * n),
            (accumulate ? AccumulateFlag : 0) | (bias is null ? 0 : BiasFlag));
        uint[] specialization = variant.LayoutConstants ? [.. variant.Specialization, transposeA ? 0u : 1u, transposeB ? 0u : 1u] : variant.Specialization;
        // Without a bias its binding is never read; any tensor will do.
        r.Dispatch(
            variant.Kernel,
            push,
            new Groups(Groups.Cover(n, variant.BlockN), Groups.Cover(m, variant.BlockM), batch),
            specialization,
            [Binding.Read(a), Binding.Read(b), Binding.Read(bias ?? a), Binding.Output(c, accumulate)],
            2.0 * batch * m * n * k);
    }

    private static Variant Choose(Recorder r, Types types, int m, int n, int k, int batch, bool transposeA, bool transposeB, bool vectors)
    {
        if (Forced is not null)
            return All(r.Device.Info, types, k, vectors).FirstOrDefault(variant => variant.Name == Forced) ?? Variants(r.Device.Info, types, k, vectors)[0];
        Variant[] variants = Variants(r.Device.Info, types, k, vectors);
        // Rows and columns of one power of two share a choice, and above the cap all do: beyond it a kernel's rate is its plateau.
        int cap = r.Device.Info.Type == GpuType.Cpu ? 512 : 2048;
        int sizeM = Bucket(m, cap), sizeN = Bucket(n, cap), sizeK = Math.Min((k + 15) / 16 * 16, cap), count = batch > 1 ? 4 : 1;
        string key = $"matmul {types.Name} {(transposeA ? 't' : 'n')}{(transposeB ? 't' : 'n')} {sizeM} {sizeN} {sizeK}{(count > 1 ? " batched" : "")}{(vectors ? "" : " odd")}";
        Shape[] inputs = [transposeA ? [count, sizeK, sizeM] : [count, sizeM, sizeK], transposeB ? [count, sizeN, sizeK] : [count, sizeK, sizeN]];
        string name = r.Device.Choices.Choose(
            key,
            [.. variants.Select(variant => new KernelChoices.Candidate(variant.Name, (recorder, factors) =>
            {
                Tensor c = recorder.Empty([count, sizeM, sizeN], types.Result);
                Record(recorder, variant, c, factors[0], factors[1], null, sizeM, sizeN, sizeK, (uint)count, transposeA, transposeB, accumulate: false);
                return c;
            }))],
            Trial(inputs, types.Factors, types.Result, types.Products, sizeK, variants.First(variant => !variant.OnUnits).Name));
        return variants.First(variant => variant.Name == name);
    }

    // Two kernels that are right differ by no more. Factors are noise in [-1/2, 1/2), so that a sum of K products stays within four times
    // its deviation of sqrt(K) / 12, and by units that cut where others round, each of K additions is off by 2^-23 of that at most, in either
    // kernel. A product of parts is off by 5 u^2 of itself, and a product by 1/4 at most; a result is rounded once in either.
    internal static KernelTrial Trial(Shape[] inputs, DType factors, DType result, ProductArithmetic products, int k, string reference)
    {
        double parts = products switch { ProductArithmetic.BF16x3 => 5 * Math.Pow(2, -16), ProductArithmetic.F16x3 => 5 * Math.Pow(2, -22), _ => 0 };
        double roundoff = Math.Pow(2, result switch { DType.F16 => -11, DType.BF16 => -8, _ => -24 });
        return new KernelTrial(inputs, factors, reference, (2 * k * Math.Pow(2, -23) * 4 * Math.Sqrt(k) / 12) + (k * parts / 4), 3 * roundoff);
    }

    private static int Bucket(int size, int cap)
    {
        int bucket = 16;
        while (bucket < size && bucket < cap)
            bucket *= 2;
        return bucket;
    }

    // The first is the choice when nothing may be measured. Wide register blocks suit narrow subgroups, shared memory wide ones.
    private static Variant[] Variants(GpuInfo info, Types types, int k, bool vectors) =>
    [
        .. vectors || !types.Short ? Cooperative(info, types) : [],
        .. Plain(info, types, k, vectors).Where(v => v.Specialization[0] <= info.MaxWorkgroupSize),
        .. vectors ? Cooperative2(info, types) : [], // last: no device was seen to run them right
    ];

    private static IEnumerable<Variant> Plain(GpuInfo info, Types types, int k, bool vectors) =>
        types.Short || !IsNarrow(info) ? Tiles(types)
        // With four loads for one the wide block takes a CPU driver ten seconds to compile: too long for extents that are rare and small.
        : vectors ? [Wide(info, k, vectors), Small(info, vectors)] : [Narrow(info, vectors)];

    private static IEnumerable<Variant> Tiles(Types types)
    {
        Kernel<Push> kernel = types switch
        {
            { Short: false } => Tiled,
            { Name: "f16" } => TiledF16,
            { Name: "f16_f32" } => TiledF16ToF32,
            { Name: "bf16" } => TiledBF16,
            _ => TiledBF16ToF32,
        };
        return ((Variant[])[Tile(64, 64, 16, 4, 4), Tile(32, 32, 16, 2, 2), Tile(128, 64, 16, 8, 4), Tile(128, 128, 16, 8, 8)]).Select(variant => variant with { Kernel = kernel });
    }

    // Whatever runs on the device, whether it is a candidate or not.
    private static IEnumerable<Variant> All(GpuInfo info, Types types, int k, bool vectors) =>
        Variants(info, types, k, vectors).Concat(types.Short ? [] : [.. IsNarrow(info) ? (Variant[])[Wide(info, k, vectors), Narrow(info, vectors), Small(info, vectors)] : [], .. Tiles(types)]).DistinctBy(variant => variant.Name);

    private static bool IsNarrow(GpuInfo info) => info.SubgroupSize is 4 or 8 or 16;

    // As deep as pads K least, the deeper of equals; a name leaves the depth out, so that all K of a class share its choice.
    private static Variant Wide(GpuInfo info, int k, bool vectors) => Keep(info, 128, 8, ((uint[])[96, 64]).MinBy(d => (k + d - 1) / d * d), vectors);

    private static Variant Narrow(GpuInfo info, bool vectors) => Keep(info, 128, 4, 64, vectors);

    private static Variant Small(GpuInfo info, bool vectors) => Keep(info, 32, 4, 32, vectors);

    private static Variant Keep(GpuInfo info, uint rows, uint columns, uint depth, bool vectors)
    {
        uint subgroup = (uint)info.SubgroupSize;
        return new($"resident {rows}x{columns}", Resident, rows, subgroup * columns, [subgroup, rows, columns, depth, subgroup, vectors ? 1u : 0u], true);
    }

    private static Variant Tile(uint bm, uint bn, uint bk, uint tm, uint tn)
    {
        uint threads = bm / tm * (bn / tn);
        return new($"tiled {bm}x{bn}x{bk} {tm}x{tn}", Tiled, bm, bn, [threads, bm, bn, bk, tm, tn, threads], true);
    }

    /// <summary>The names of the variants that a device chooses from for long extents, the one of an untuned device first.</summary>
    internal static IReadOnlyList<string> Candidates(GpuInfo info, int k, DType factors, DType result, ProductArithmetic products) =>
        [.. Variants(info, new Types(factors, result, products), k, vectors: true).Select(v => v.Name)];

    /// <summary>The names of all variants that run on a device, whether they are its candidates or not: tests hold each to the oracle.</summary>
    internal static IReadOnlyList<string> Names(GpuInfo info, int k, DType factors = DType.F32, DType result = DType.F32, ProductArithmetic products = ProductArithmetic.F32) =>
        [.. All(info, new Types(factors, result, products), k, vectors: true).Select(v => v.Name)];

    /// <summary>Records products of this thread with a variant of this name, unmeasured: for tests and measurements; null for the measured choice.</summary>
    [ThreadStatic]
    internal static string? Forced;
}
