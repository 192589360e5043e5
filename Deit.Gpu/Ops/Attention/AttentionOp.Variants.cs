namespace Deit.Gpu;

// The ways to compute attention, and which of them a device is offered.
public static partial class AttentionOp
{
    /// <summary>
    /// The three kernels of one way to compute attention. Forward and backward each have a number of tokens that a
    /// workgroup owns, and their specialization constants.
    /// </summary>
    private sealed record Variant(
        string Name,
        Kernel<Push> Forward,
        Kernel<Push> BackwardQuery,
        Kernel<Push> BackwardKeyValue,
        uint Rows,
        uint BackwardRows,
        uint[] Specialization,
        uint[] BackwardSpecialization,
        bool OnUnits = false
    );

    private static readonly TypedKernel<Push> Forward = new("attention", SubgroupDemand.Narrow);
    private static readonly TypedKernel<Push> BackwardQuery = new("attention.backward_q", SubgroupDemand.Narrow);
    private static readonly TypedKernel<Push> BackwardKeyValue = new("attention.backward_kv", SubgroupDemand.Narrow);
    private static readonly Kernel<Push> ForwardByAddress =
            new("attention.address", SubgroupDemand.Narrow, addresses: 1),
        BackwardQueryByAddress = new("attention.backward_q.address", SubgroupDemand.Narrow, addresses: 1),
        BackwardKeyValueByAddress = new("attention.backward_kv.address", SubgroupDemand.Narrow, addresses: 2);
    private static readonly TypedKernel<Push> TiledForward = new("attention.tiled"),
        TiledBackwardQuery = new("attention.tiled.backward_q"),
        TiledBackwardKeyValue = new("attention.tiled.backward_kv");
    private static readonly Kernel<Push> CooperativeF16 = new("attention.cooperative.f16", SubgroupDemand.Units),
        CooperativeBF16 = new("attention.cooperative.bf16", SubgroupDemand.Units);
    private static readonly Kernel<Push> CooperativeBackwardQueryF16 =
            new("attention.cooperative.backward_q.f16", SubgroupDemand.Units),
        CooperativeBackwardQueryBF16 = new("attention.cooperative.backward_q.bf16", SubgroupDemand.Units);
    private static readonly Kernel<Push> CooperativeBackwardKeyValueF16 =
            new("attention.cooperative.backward_kv.f16", SubgroupDemand.Units),
        CooperativeBackwardKeyValueBF16 = new("attention.cooperative.backward_kv.bf16", SubgroupDemand.Units);

    // The first variant is the choice when nothing may be measured. A CPU driver is offered no variant for matrix
    // units, which it only imitates: Mesa 26.2 computes a third as fast with them, and compiles them for seconds. Nor
    // is its shared memory faster than any other.
    private static Variant[] Variants(GpuInfo info, DType type, int dimension) =>
        info.Type == GpuType.Cpu
            ? [.. Rows(info, type, dimension), .. ByAddress(info, type, dimension)]
            : All(info, type, dimension);

    // All variants that run on the device, candidates or not.
    private static Variant[] All(GpuInfo info, DType type, int dimension)
    {
        Variant[] tiles = [.. Cooperative(info, type, (uint)dimension), .. Tiled(info, type, (uint)dimension)];
        bool withRows = info.Type == GpuType.Cpu || tiles.Length == 0 || RowRegisters(dimension) <= info.LaneRegisters;
        return [.. tiles, .. withRows ? Rows(info, type, dimension) : [], .. ByAddress(info, type, dimension)];
    }

    /// <summary>
    /// An estimate of the registers that a lane with a row needs at least, in the backward pass for keys and values: the row
    /// of both and of both gradients, and a few for places and scores. At D = 64 no GPU has them. Two lanes for a row would
    /// need half as many, and would then be what a tile is.
    /// </summary>
    internal static int RowRegisters(int dimension) => (4 * dimension) + 16;

    // The kernels of rows, whose lanes read the rows of the other side by an address that they share. Eight at a time
    // spread the cost of the sums, which do not fit the registers. Two rows a lane are 7 % faster forward and half as
    // fast backward; with vectors of 512 bits they are half as fast in all.
    private static IEnumerable<Variant> ByAddress(GpuInfo info, DType type, int dimension) =>
        info is { Type: GpuType.Cpu, BufferAddresses: true } && type == DType.F32
            ?
            [
                Row("row a lane by address", info, type, dimension, own: 1, others: 8, othersBackward: 8) with
                {
                    Forward = ForwardByAddress,
                    BackwardQuery = BackwardQueryByAddress,
                    BackwardKeyValue = BackwardKeyValueByAddress,
                },
            ]
            : [];

    // A lane owns one row or two. Two halve the cost of loads and shuffles, and fit no GPU's registers. CPU drivers
    // from before Vulkan 1.4 (Mesa 22.3) run them at 0.6 of the speed forward, and take far longer to compile the
    // backward pass.
    private static IEnumerable<Variant> Rows(GpuInfo info, DType type, int dimension) =>
        info.Type == GpuType.Cpu && Version.Parse(info.ApiVersion) >= new Version(1, 4)
            ?
            [
                Row("two rows a lane", info, type, dimension, own: 2, others: 2, othersBackward: 2),
                Row("row a lane", info, type, dimension, own: 1, others: 4, othersBackward: 1),
            ]
            : [Row("row a lane", info, type, dimension, own: 1, others: 4, othersBackward: 1)];

    // The rows of the other side are read in blocks of `others`.
    private static Variant Row(
        string name,
        GpuInfo info,
        DType type,
        int dimension,
        uint own,
        uint others,
        uint othersBackward
    )
    {
        uint lanes = (uint)info.NarrowSubgroupSize;
        return new(
            name,
            Forward[type],
            BackwardQuery[type],
            BackwardKeyValue[type],
            lanes * own,
            lanes * own,
            [lanes, lanes, (uint)dimension, own, others],
            [lanes, lanes, (uint)dimension, own, othersBackward]
        );
    }

    // Tiles in shared memory, for subgroups of any size. So many lanes share so many of their rows, in so many groups
    // of lanes. The backward pass stages two tensors of the own side where the forward pass stages one, and works on
    // half the rows. On a CPU driver, where these variants are only tested, tiles are small: a tile of 16 x 16 with
    // four rows an invocation took Mesa 22.3 some ten seconds to compile at D = 64.
    private static IEnumerable<Variant> Tiled(GpuInfo info, DType type, uint dimension)
    {
        (uint Lanes, uint Groups, uint Own)[] tiles =
            info.Type == GpuType.Cpu
                ? dimension <= 16
                    ? [(8, 4, 2), (16, 8, 4)]
                    : dimension <= 80
                        ? [(8, 4, 2)]
                        : [(4, 4, 2)]
                : [(8, 32, 2), (8, 16, 4), (16, 16, 2), (16, 32, 1), (8, 16, 2), (4, 32, 2), (4, 8, 4)];
        return tiles
            .Where(t =>
                t.Lanes * t.Groups <= info.MaxWorkgroupSize
                && Math.Max(SharedBytes(t.Lanes, t.Groups * t.Own, 1), SharedBytes(t.Lanes, t.Groups / 2 * t.Own, 2))
                    <= info.SharedMemoryBytes
            )
            .Select(t => new Variant(
                $"tiled {t.Groups * t.Own}x{4 * t.Lanes} {t.Own}x4",
                TiledForward[type],
                TiledBackwardQuery[type],
                TiledBackwardKeyValue[type],
                t.Groups * t.Own,
                t.Groups / 2 * t.Own,
                [t.Lanes * t.Groups, dimension, t.Lanes, t.Groups, t.Own],
                [t.Lanes * t.Groups / 2, dimension, t.Lanes, t.Groups / 2, t.Own]
            ));

        // Own and staged rows, an odd number of four elements wide, which floats of 16 bits are themselves; weights, and a
        // value of each lane of a row.
        long SharedBytes(uint lanes, uint rows, uint ownTiles) =>
            ((type == DType.F16 ? 8L : 16L) * ((ownTiles * rows) + (8 * lanes)) * ((dimension + 3) / 4 | 1))
            + (16L * rows * (lanes | 1))
            + (4L * rows * lanes);
    }

    // Tiles for the matrix units' shape that takes this type and sums in F32. There is none where the device lacks such
    // a shape, where the shape does not divide the head dimension, or where shared memory or workgroups are too small.
    private static IEnumerable<Variant> Cooperative(GpuInfo info, DType type, uint dimension)
    {
        string input = $"{type}".ToLowerInvariant();
        if (
            info
                .MatrixShapes.Where(shape =>
                    shape.Input == input && shape.Accumulator == "f32" && shape.Scope == "subgroup"
                )
                .OrderBy(shape => Math.Abs((int)shape.K - 16))
                .FirstOrDefault()
            is not { } unit
        )
            return [];
        if (dimension % unit.N != 0 || dimension % unit.K != 0 || dimension % 8 != 0)
            return [];
        uint lanes = (uint)info.UnitSubgroupSize;
        // On a CPU driver, where units are only tested, tiles are small: two of them at D = 64 took 45 s to compile.
        (uint Subgroups, uint Fragments, uint Block)[] tiles =
            info.Type == GpuType.Cpu
                ? dimension <= 32
                    ? [(2, 1, 16), (1, 2, 16)]
                    : [(2, 1, 16)]
                : [(4, 1, 64), (4, 1, 32), (2, 1, 64), (8, 1, 64), (4, 2, 64), (4, 2, 32)];
        return tiles
            .Select(t => new UnitTile(t.Subgroups, t.Fragments * unit.M, t.Block))
            .Where(tile =>
                tile.Subgroups * lanes <= info.MaxWorkgroupSize
                && tile.Subgroups <= info.MaxWorkgroupSubgroups
                && tile.SharedBytes(dimension) <= info.SharedMemoryBytes
                && (info.Type == GpuType.Cpu || tile.RegisterBytes(dimension, unit) <= info.UnitRegisterBytes)
                && tile.Fits(lanes, unit)
            )
            .Select(tile => Cooperative(type, dimension, tile, lanes, unit));
    }

    private static Variant Cooperative(DType type, uint dimension, UnitTile tile, uint lanes, MatrixShape unit)
    {
        uint[] specialization =
        [
            tile.Subgroups * lanes,
            tile.Subgroups,
            tile.Rows,
            tile.Block,
            dimension,
            unit.M,
            unit.N,
            unit.K,
            lanes,
        ];
        return new(
            $"cooperative {tile.Subgroups}x{tile.Rows}x{tile.Block} {unit.M}x{unit.N}x{unit.K}",
            type == DType.F16 ? CooperativeF16 : CooperativeBF16,
            type == DType.F16 ? CooperativeBackwardQueryF16 : CooperativeBackwardQueryBF16,
            type == DType.F16 ? CooperativeBackwardKeyValueF16 : CooperativeBackwardKeyValueBF16,
            tile.Subgroups * tile.Rows,
            tile.Subgroups * tile.Rows,
            specialization,
            specialization,
            OnUnits: true
        );
    }

    /// <summary>The scores of a workgroup on matrix units: each of its subgroups has some rows, of a block of columns at a time.</summary>
    private readonly record struct UnitTile(uint Subgroups, uint Rows, uint Block)
    {
        /// <summary>
        /// True when lanes can share the rows without remainder, each with runs of eight columns, and units cover the
        /// block.
        /// </summary>
        public bool Fits(uint lanes, MatrixShape unit)
        {
            uint lanesOfRow = Math.Max(lanes / Rows, 1);
            return Rows * lanesOfRow % lanes == 0
                && Block % (8 * lanesOfRow) == 0
                && Block % unit.N == 0
                && Block % unit.K == 0
                && Block >= 2 * unit.N;
        }

        /// <summary>
        /// An estimate of the registers that a subgroup needs at least, in the backward pass for keys and values: its rows
        /// of both in 16 bits, the sums of both gradients, and the scores and fragments of one step.
        /// </summary>
        public long RegisterBytes(uint dimension, MatrixShape unit) =>
            (12L * Rows * dimension) + (4L * Rows * unit.N) + (2L * unit.K * (Rows + unit.N));

        /// <summary>Two staged blocks, the subgroups' scratch with 16 bytes of skew a row, and two statistics of a block.</summary>
        public long SharedBytes(uint dimension) =>
            (2L * Block * 2 * (dimension + 8))
            + ((long)Subgroups * Rows * (Math.Max(4 * Block, 2 * dimension) + 16))
            + (2L * 4 * Block);
    }

    /// <summary>The names of the variants that a device chooses from. The first is the choice without
    /// measurements.</summary>
    internal static IReadOnlyList<string> Candidates(GpuInfo info, DType type, int dimension) =>
        [.. Variants(info, type, dimension).Select(variant => variant.Name)];

    /// <summary>
    /// The names of all variants that run on a device, whether they are its candidates or not. Tests compare each with
    /// the oracle.
    /// </summary>
    internal static IReadOnlyList<string> Names(GpuInfo info, DType type, int dimension) =>
        [.. All(info, type, dimension).Select(variant => variant.Name)];
}
