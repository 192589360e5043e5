namespace Deit.Gpu;

// The kernels of products, and the choice among them.
public static partial class MatMulOp
{
    /// <summary>
    /// A kernel with its tile. It says how many rows and columns a workgroup covers, and has the specialization
    /// constants before those of layout and epilogue. It also says into how many parts K is split, whether the kernel
    /// itself does more of an epilogue than bias and accumulation, whether it finishes four neighbours at a time where
    /// it may, whether it multiplies on matrix units, and which rows and depth of a product it needs at least.
    /// </summary>
    private sealed record Variant(
        string Name,
        Kernel<Push> Kernel,
        uint BlockM,
        uint BlockN,
        uint[] Specialization,
        int Splits = 1,
        bool Fuses = true,
        bool Fours = false,
        bool OnUnits = false,
        int LeastRows = 0,
        int LeastDepth = 0
    )
    {
        /// <summary>Whether the kernel runs a product of these extents. The parts of K are a batch themselves.</summary>
        public bool Runs(in Extents x) => x.M >= LeastRows && x.K >= LeastDepth && (Splits == 1 || x.Batch == 1);
    }

    private static readonly Kernel<Push> Resident = new("matmul.resident", SubgroupDemand.Full);
    private static readonly Kernel<Push> Columns = new("matmul.columns", SubgroupDemand.Full, addresses: 3);

    private static readonly int[] SplitCounts = [4, 16, 64];
    private const int LargestSplit = 4096; // rows and columns of C: larger ones have tiles enough
    private const int DepthOfPart = 128; // at least

    private static Variant Choose(Recorder r, Types types, Extents x, bool vectors, bool isFixed)
    {
        GpuInfo info = r.Info;
        if (r.Forced.Product is { } forced)
            return All(info, types, x.K, vectors).FirstOrDefault(variant => variant.Name == forced && variant.Runs(x))
                ?? Variants(info, types, x.K, vectors)[0];
        (string key, Extents size, Variant[] variants) = Candidates(info, types, x, vectors);
        Shape[] inputs =
        [
            x.TransposeA ? [size.Batch, size.K, size.M] : [size.Batch, size.M, size.K],
            x.TransposeB ? [size.Batch, size.N, size.K] : [size.Batch, size.K, size.N],
        ];
        // A kernel that needs B in another order has it so already where B does not change. No other kernel minds.
        isFixed &= x.TransposeB && variants.Any(variant => variant.Kernel == Columns);
        string name = r.Choose(
            isFixed ? $"{key} fixed" : key,
            [
                .. variants.Select(variant => new KernelCandidate(
                    variant.Name,
                    (recorder, factors) =>
                    {
                        Tensor c = recorder.Empty([size.Batch, size.M, size.N], types.Result);
                        Record(recorder, variant, size, c, factors[0], factors[1], default);
                        return c;
                    }
                )),
            ],
            Trial(
                inputs,
                types.Factors,
                types.Result,
                types.Products,
                size.K,
                variants.First(variant => !variant.OnUnits).Name
            ) with
            {
                IsLastFixed = isFixed,
                Family = info.Type == GpuType.Cpu ? $"matmul {types.Name}{(vectors ? "" : " odd")}" : null,
            }
        );
        return variants.First(variant => variant.Name == name);
    }

    // Bounds the difference of two kernels that are both right. Factors are noise in [-1/2, 1/2), so that a sum of K
    // products stays within four times its deviation of sqrt(K) / 12. Units may cut where others round: each of K
    // additions is then off by at most 2^-23 of the sum, in either kernel. A product of parts is off by 5 u^2 of
    // itself, and a product is at most 1/4. Either kernel rounds a result once.
    internal static KernelTrial Trial(
        Shape[] inputs,
        DType factors,
        DType result,
        ProductArithmetic products,
        int k,
        string reference
    )
    {
        double parts = products switch
        {
            ProductArithmetic.BF16x3 => 5 * Math.Pow(2, -16),
            ProductArithmetic.F16x3 => 5 * Math.Pow(2, -22),
            _ => 0,
        };
        double roundoff = Math.Pow(
            2,
            result switch
            {
                DType.F16 => -11,
                DType.BF16 => -8,
                _ => -24,
            }
        );
        return new KernelTrial(
            inputs,
            factors,
            reference,
            (2 * k * Math.Pow(2, -23) * 4 * Math.Sqrt(k) / 12) + (k * parts / 4),
            3 * roundoff
        );
    }

    // The candidates for a product, the size at which they are measured, and the key of the choice. Candidates and size
    // depend on the key alone.
    private static (string Key, Extents Size, Variant[] Variants) Candidates(
        GpuInfo info,
        Types types,
        Extents x,
        bool vectors
    )
    {
        // Rows and columns of one power of two share a choice. Above the cap all of them share one, since a kernel's
        // rate no longer rises there. Two gains go on rising: that of a split of K, and that of rows on a card. Of
        // rows, as many are measured as make 2^24 elements of A or C: a large card runs some hundred workgroups at
        // once, and with few tiles the time says more about how they divide by that number than about the kernel.
        int splits = MostSplits(info, x),
            cap = info.Type == GpuType.Cpu ? 512
            : splits > 1 ? LargestSplit
            : 2048;
        int rows =
            info.Type.IsCard && splits == 1 && x.Batch == 1
                ? Math.Max(cap, (1 << 24) / Math.Max(Width(x.N, cap), Math.Min(x.K, cap)))
                : cap;
        Extents size = Bucketed(info, x, rows, cap) with
        {
            K = Math.Min((x.K + 15) / 16 * 16, Math.Max(cap, splits > 1 ? DepthOfPart * splits : 0)),
            Batch = x.Batch > 1 ? 4 : 1,
        };
        string key =
            $"{KeyPrefix(types.Factors, types.Result, types.Products)}{(x.TransposeA ? 't' : 'n')}{(x.TransposeB ? 't' : 'n')} "
            + $"{size.M} {size.N} "
            + $"{size.K}{(x.Batch > 1 ? " batched" : "")}{(vectors ? "" : " odd")}{(splits > 1 ? $" split {splits}" : "")}";
        return (
            key,
            size,
            [
                // A bucket holds what is more than half of it.
                .. Variants(info, types, x.K, vectors)
                    .Where(variant => variant.Runs(size with { M = (size.M / 2) + 1, K = (size.K / 2) + 1 })),
                .. Split(Variants(info, types with { Result = DType.F32 }, x.K, vectors), size.M, size.N, splits),
            ]
        );
    }

    // The number of parts into which K may be split. A part is at least 128 deep. The sums of all parts take at most 64
    // MiB, also at the size that is measured. A few tiles keep the few threads of a CPU driver busy.
    private static int MostSplits(GpuInfo info, Extents x)
    {
        if (info.Type == GpuType.Cpu || x.Batch > 1 || Math.Max(x.M, x.N) > LargestSplit)
            return 1;
        Extents size = Bucketed(info, x, LargestSplit, LargestSplit);
        return SplitCounts.LastOrDefault(
            splits => x.K >= DepthOfPart * splits && splits * (long)size.M * size.N <= 1 << 24,
            1
        );
    }

    // Rows come from a batch and are rounded up to powers of two. Columns on a card are not: a model has few widths,
    // and a card's tiles suit 192 or 576 as they are. Rounded up to 256 and 1,024, a tile of 256 columns would seem to
    // waste nothing.
    private static Extents Bucketed(GpuInfo info, Extents x, int rows, int columns) =>
        info.Type == GpuType.Cpu
            ? x with
            {
                M = Bucket(x.M, rows),
                N = Bucket(x.N, columns),
            }
            : x with
            {
                M = x.TransposeA ? Width(x.M, rows) : Bucket(x.M, rows),
                N = Width(x.N, columns),
            };

    private static int Width(int size, int cap) => Math.Min((size + 63) / 64 * 64, cap);

    // Variants for a C that has too few tiles to keep a device busy: the parts of K are computed side by side. No API
    // tells how many tiles a device runs at once, so that the gain of a split is measured. With more than 256 tiles it
    // cannot be large. Where there are matrix units, only their variants are split, and not those of the largest tiles:
    // each split is one more kernel to compile.
    private static IEnumerable<Variant> Split(IReadOnlyList<Variant> variants, int m, int n, int most) =>
        from variant in variants
        where variant.BlockM * variant.BlockN <= 128 * 128 && (variant.OnUnits || !variants.Any(other => other.OnUnits))
        where variant.Kernel.Addresses == 0 // it belongs to a CPU driver, whose few threads a few tiles keep busy
        where
            variant.Fuses && WorkgroupCount.Cover(m, variant.BlockM) * WorkgroupCount.Cover(n, variant.BlockN) <= 256
        from splits in SplitCounts
        where splits <= most
        select variant with
        {
            Name = $"{variant.Name} split {splits}",
            Splits = splits,
        };

    private static int Bucket(int size, int cap)
    {
        int bucket = 16;
        while (bucket < size && bucket < cap)
            bucket *= 2;
        return bucket;
    }

    // The first variant is the choice when nothing may be measured. Wide register blocks suit narrow subgroups, shared
    // memory suits wide ones.
    private static Variant[] Variants(GpuInfo info, Types types, int k, bool vectors) =>
        [
            .. vectors || !types.Short ? Cooperative(info, types) : [],
            .. Plain(info, types, k, vectors).Where(v => v.Specialization[0] <= info.MaxWorkgroupSize),
            // These come last, since no device has been seen to run them right.
            .. vectors ? Cooperative2(info, types) : [],
        ];

    private static IEnumerable<Variant> Plain(GpuInfo info, Types types, int k, bool vectors) =>
        types.Short || !IsNarrow(info)
            ? [.. Tiles(info, types, vectors), .. MayHalve(info, types) ? HalfTiles(info, types, vectors) : []]
            : [.. FirstOfFour(info, types, vectors), .. Blocks(info, k, vectors)];

    // With subgroups of 4 the tile comes before the blocks, since one driver compiles a block for 11 s and a tile for 0.3
    // (SwiftShader), and runs both at one rate. Where blocks are faster, as on Mesa, a measurement says so.
    private static IEnumerable<Variant> FirstOfFour(GpuInfo info, Types types, bool vectors) =>
        info.SubgroupSize == 4 ? Tiles(info, types, vectors).TakeLast(1) : [];

    private static IEnumerable<Variant> Blocks(GpuInfo info, int k, bool vectors) =>
        // Without vectors each load becomes four, and a CPU driver takes ten seconds to compile the wide block. That is
        // too long for extents that are rare and small.
        vectors ? [Wide(info, k, vectors), Small(info, vectors), .. ByAddress(info)] : [Narrow(info, vectors)];

    // All variants that run on the device, candidates or not.
    private static Variant[] All(GpuInfo info, Types types, int k, bool vectors)
    {
        IEnumerable<Variant> splits = Split([.. Whole(types with { Result = DType.F32 })], 1, 1, SplitCounts[^1])
            .Where(variant => PartOf(k, variant.Splits) < k);
        return [.. Whole(types), .. splits];

        IEnumerable<Variant> Whole(Types whole) =>
            Variants(info, whole, k, vectors)
                .Concat(
                    whole.Short
                        ? HalfTiles(info, whole, vectors)
                        :
                        [
                            .. IsNarrow(info)
                                ? (Variant[])
                                    [
                                        Wide(info, k, vectors),
                                        Narrow(info, vectors),
                                        Small(info, vectors),
                                        .. vectors ? ByAddress(info) : [],
                                    ]
                                : [],
                            .. Tiles(info, whole, vectors),
                        ]
                )
                .DistinctBy(variant => variant.Name);
    }

    private static bool IsNarrow(GpuInfo info) => info.Type == GpuType.Cpu && info.SubgroupSize is 4 or 8 or 16;

    // The depth is the one that pads K least, and of equals the deeper.
    // The name leaves the depth out, so that all K of a class share its choice.
    private static Variant Wide(GpuInfo info, int k, bool vectors) =>
        Keep(info, 128, 8, ((uint[])[96, 64]).MinBy(d => (k + d - 1) / d * d), vectors);

    private static Variant[] ByAddress(GpuInfo info) =>
        info is { Type: GpuType.Cpu, BufferAddresses: true, SubgroupBallot: true } ? [Column(info, 24, 24)] : [];

    private static Variant Column(GpuInfo info, uint rows, uint step)
    {
        uint subgroup = (uint)info.SubgroupSize;
        return new(
            $"columns {rows}x{step}",
            Columns,
            rows,
            subgroup,
            [subgroup, rows, step, subgroup],
            LeastRows: (int)rows,
            LeastDepth: (int)step
        );
    }

    private static Variant Narrow(GpuInfo info, bool vectors) => Keep(info, 128, 4, 64, vectors);

    private static Variant Small(GpuInfo info, bool vectors) => Keep(info, 32, 4, 32, vectors);

    private static Variant Keep(GpuInfo info, uint rows, uint columns, uint depth, bool vectors)
    {
        uint subgroup = (uint)info.SubgroupSize;
        return new(
            $"resident {rows}x{columns}",
            Resident,
            rows,
            subgroup * columns,
            [subgroup, rows, columns, depth, subgroup, vectors ? 1u : 0u],
            Fuses: false
        );
    }

    /// <summary>The beginning of the keys of choices for products of these types.</summary>
    internal static string KeyPrefix(DType factors, DType result, ProductArithmetic products) =>
        $"matmul {new Types(factors, result, products).Name} ";

    /// <summary>The names of the variants that a device chooses from for long extents. The first is the choice without
    /// measurements.</summary>
    internal static IReadOnlyList<string> Candidates(
        GpuInfo info,
        int k,
        DType factors,
        DType result,
        ProductArithmetic products
    ) => [.. Variants(info, new Types(factors, result, products), k, vectors: true).Select(v => v.Name)];

    /// <summary>The key of the choice for a product of F32, which says at which extents it is measured.</summary>
    internal static string KeyOf(GpuInfo info, int m, int n, int k, bool transposeA) =>
        Candidates(
            info,
            new Types(DType.F32, DType.F32, ProductArithmetic.F32),
            new Extents(m, n, k, 1, transposeA, false),
            vectors: true
        ).Key;

    /// <summary>The names of the variants that are measured for a product of F32.</summary>
    internal static IReadOnlyList<string> CandidateNames(GpuInfo info, int m, int n, int k) =>
        [
            .. Candidates(
                info,
                new Types(DType.F32, DType.F32, ProductArithmetic.F32),
                new Extents(m, n, k, 1, false, false),
                vectors: true
            )
                .Variants.Select(v => v.Name),
        ];

    /// <summary>
    /// The names of all variants that run on a device, whether they are its candidates or not. Tests compare each with
    /// the oracle.
    /// </summary>
    internal static IReadOnlyList<string> Names(
        GpuInfo info,
        int k,
        DType factors = DType.F32,
        DType result = DType.F32,
        ProductArithmetic products = ProductArithmetic.F32
    ) => [.. All(info, new Types(factors, result, products), k, vectors: true).Select(v => v.Name)];
}
