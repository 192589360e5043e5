namespace Deit.Gpu;

/// <summary>out = softmax(Q K^T / sqrt(D)) V for each head, from packed qkv (Vaswani et al., arXiv 1706.03762; one pass as in FlashAttention, arXiv 2205.14135).</summary>
/// <remarks>No kernel stores the N x N matrix: the backward pass computes it again from the forward pass's log-sum-exp. Which kernels run a shape is measured: see <see cref="KernelChoices"/>.</remarks>
public static class AttentionOp
{
    private readonly record struct Push(uint Tokens, uint Heads, float Scale, uint Accumulate);

    /// <summary>The three kernels of one way to compute attention, with how many tokens a workgroup owns and their specialization constants, forward and backward.</summary>
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

    private static readonly TypedKernel<Push> Forward = new("attention", narrowSubgroups: true);
    private static readonly TypedKernel<Push> BackwardQuery = new("attention.backward_q", narrowSubgroups: true);
    private static readonly TypedKernel<Push> BackwardKeyValue = new("attention.backward_kv", narrowSubgroups: true);
    private static readonly TypedKernel<Push> TiledForward = new("attention.tiled"),
        TiledBackwardQuery = new("attention.tiled.backward_q"),
        TiledBackwardKeyValue = new("attention.tiled.backward_kv");
    private static readonly Kernel<Push> CooperativeF16 = new("attention.cooperative.f16", fullSubgroups: true),
        CooperativeBF16 = new("attention.cooperative.bf16", fullSubgroups: true);
    private static readonly Kernel<Push> CooperativeBackwardQueryF16 =
            new("attention.cooperative.backward_q.f16", fullSubgroups: true),
        CooperativeBackwardQueryBF16 = new("attention.cooperative.backward_q.bf16", fullSubgroups: true);
    private static readonly Kernel<Push> CooperativeBackwardKeyValueF16 =
            new("attention.cooperative.backward_kv.f16", fullSubgroups: true),
        CooperativeBackwardKeyValueBF16 = new("attention.cooperative.backward_kv.bf16", fullSubgroups: true);

    /// <summary>The largest head dimension: a lane holds four rows of it.</summary>
    public const int MaximumHeadDimension = 128;

    extension(Recorder r)
    {
        /// <summary>Multi-head self-attention without the projections around it.</summary>
        /// <param name="qkv">[B, N, 3 * C] with C = heads * D: the rows of the reference's qkv projection, q then k then v, each head-major.</param>
        /// <param name="heads">Number of heads H.</param>
        /// <returns>[B, N, C] in the type of qkv.</returns>
        /// <exception cref="ArgumentException">The last extent is no multiple of 3 * heads, or the head dimension exceeds 128.</exception>
        public Tensor Attention(Tensor qkv, int heads)
        {
            int dimension = qkv.Shape[2] / 3 / heads;
            if (qkv.Shape.Rank != 3 || dimension * heads * 3 != qkv.Shape[2] || dimension > MaximumHeadDimension)
                throw new ArgumentException(
                    $"Attention of {qkv} with {heads} heads: expected [B, N, 3 * heads * D] with D at most {MaximumHeadDimension}; choose embedding dimension and heads so."
                );
            Head head = new(qkv.DType, qkv.Shape[0], qkv.Shape[1], heads, dimension);
            Tensor y = r.Empty(head.Output, qkv.DType);
            Tensor logSumExp = r.Empty(head.Statistic);
            RecordForward(r, ChooseForward(r, head), head, qkv, y, logSumExp);
            if (Tape.Needs(qkv))
                r.Tape.OnBackward(
                    y,
                    dy =>
                    {
                        Tape.Target target = r.Tape.GradientOf(qkv);
                        RecordBackward(
                            r,
                            ChooseBackward(r, head),
                            head,
                            qkv,
                            y,
                            logSumExp,
                            dy,
                            target.Tensor,
                            target.Accumulate
                        );
                    }
                );
            return y;
        }
    }

    /// <summary>What is to be computed: the element type and the extents.</summary>
    private readonly record struct Head(DType Type, int Batch, int Tokens, int Heads, int Dimension)
    {
        public Shape Packed => [Batch, Tokens, 3 * Heads * Dimension];

        public Shape Output => [Batch, Tokens, Heads * Dimension];

        public Shape Statistic => [Batch, Heads, Tokens];

        /// <summary>Operations of one of the products Q K^T and P V.</summary>
        public double Product => 2.0 * Batch * Heads * Tokens * Tokens * Dimension;

        public Push Push(bool accumulate) =>
            new((uint)Tokens, (uint)Heads, (float)(1 / Math.Sqrt(Dimension)), accumulate ? 1u : 0);

        public Groups Groups(uint rows) => new(Deit.Gpu.Groups.Cover(Tokens, rows), (uint)Heads, (uint)Batch);

        /// <summary>
        /// What stands for this in a measurement: tokens up to a multiple of 16 share a choice, because the last block's emptiness decides
        /// among tiles, and above the cap all do. There are enough workgroups to fill a device, as a batch of training has.
        /// </summary>
        public Head Class(GpuInfo info) =>
            info.Type == GpuType.Cpu
                ? this with
                {
                    Batch = 1,
                    Heads = 2,
                    Tokens = Math.Min((Tokens + 15) / 16 * 16, 256),
                }
                : this with
                {
                    Batch = 32,
                    Heads = 6,
                    Tokens = Math.Min((Tokens + 15) / 16 * 16, 640),
                };
    }

    private static void RecordForward(Recorder r, Variant variant, Head head, Tensor qkv, Tensor y, Tensor logSumExp) =>
        r.Dispatch(
            variant.Forward,
            head.Push(false),
            head.Groups(variant.Rows),
            variant.Specialization,
            [Binding.Read(qkv), Binding.Write(y), Binding.Write(logSumExp)],
            2 * head.Product
        );

    private static void RecordBackward(
        Recorder r,
        Variant variant,
        Head head,
        Tensor qkv,
        Tensor y,
        Tensor logSumExp,
        Tensor dy,
        Tensor dqkv,
        bool accumulate
    )
    {
        Tensor delta = r.Empty(head.Statistic);
        Binding output = Binding.Output(dqkv, accumulate);
        r.Dispatch(
            variant.BackwardQuery,
            head.Push(accumulate),
            head.Groups(variant.BackwardRows),
            variant.BackwardSpecialization,
            [
                Binding.Read(qkv),
                Binding.Read(y),
                Binding.Read(logSumExp),
                Binding.Read(dy),
                Binding.Write(delta),
                output,
            ],
            3 * head.Product
        );
        r.Dispatch(
            variant.BackwardKeyValue,
            head.Push(accumulate),
            head.Groups(variant.BackwardRows),
            variant.BackwardSpecialization,
            [Binding.Read(qkv), Binding.Read(logSumExp), Binding.Read(delta), Binding.Read(dy), output],
            4 * head.Product
        );
    }

    // Of one row: a mean of values within 1/2, whose weights a kernel may round.
    private static Variant ChooseForward(Recorder r, Head head) =>
        Choose(
            r,
            head,
            "forward",
            sample => [sample.Packed],
            _ => 0.5,
            (recorder, variant, sample, x) =>
            {
                Tensor y = recorder.Empty(sample.Output, sample.Type);
                RecordForward(recorder, variant, sample, x[0], y, recorder.Empty(sample.Statistic));
                return y;
            }
        );

    // Of one row: a sum over the tokens. With a log-sum-exp of 1 a weight is at most e^-0.6; gradients of scores, whose dot products of noise
    // stay within four deviations of sqrt(D) / 12, times keys and 1 / sqrt(D), are smaller than weights times gradients.
    private static Variant ChooseBackward(Recorder r, Head head) =>
        Choose(
            r,
            head,
            "backward",
            sample => [sample.Packed, sample.Output, sample.Output],
            sample => sample.Tokens * 0.3,
            (recorder, variant, sample, x) =>
            {
                Tensor dqkv = recorder.Empty(sample.Packed, sample.Type);
                RecordBackward(
                    recorder,
                    variant,
                    sample,
                    x[0],
                    x[1],
                    recorder.Full(sample.Statistic, 1),
                    x[2],
                    dqkv,
                    accumulate: false
                );
                return dqkv;
            }
        );

    private static Variant Choose(
        Recorder r,
        Head head,
        string direction,
        Func<Head, Shape[]> inputs,
        Func<Head, double> magnitude,
        Func<Recorder, Variant, Head, IReadOnlyList<Tensor>, Tensor> record
    )
    {
        Variant[] variants = Variants(r.Info, head.Type, head.Dimension);
        if (r.Forced.Attention is { } forced)
            return All(r.Info, head.Type, head.Dimension).FirstOrDefault(variant => variant.Name == forced)
                ?? variants[0];
        Head sample = head.Class(r.Info);
        // In either of two kernels each term may be rounded to the type, and its exponential, which Vulkan grants 3 + 2 |x| units in the last
        // place, is off by 2^-20; the result is rounded in either.
        double roundoff = head.Type switch
        {
            DType.F16 => Math.Pow(2, -11),
            DType.BF16 => Math.Pow(2, -8),
            _ => Math.Pow(2, -24),
        };
        KernelTrial trial = new(
            inputs(sample),
            head.Type,
            variants.First(variant => !variant.OnUnits).Name,
            2 * magnitude(sample) * Math.Max(roundoff, Math.Pow(2, -20)),
            3 * roundoff
        );
        string name = r.Choose(
            $"attention {direction} {$"{head.Type}".ToLowerInvariant()} {sample.Tokens} {head.Dimension}",
            [
                .. variants.Select(variant => new KernelCandidate(
                    variant.Name,
                    (recorder, x) => record(recorder, variant, sample, x)
                )),
            ],
            trial
        );
        return variants.First(variant => variant.Name == name);
    }

    // The first is the choice when nothing may be measured. A CPU driver has no matrix units, it only acts as if: Mesa 26.2 computes a
    // third as fast with them, and compiles them for seconds. Nor has it shared memory that is faster than any other.
    private static Variant[] Variants(GpuInfo info, DType type, int dimension) =>
        info.Type == GpuType.Cpu ? [.. Rows(info, type, dimension)] : All(info, type, dimension);

    // Whatever runs on the device, whether it is a candidate or not.
    private static Variant[] All(GpuInfo info, DType type, int dimension) =>
        [
            .. Cooperative(info, type, (uint)dimension),
            .. Tiled(info, type, (uint)dimension),
            .. Rows(info, type, dimension),
        ];

    // A lane owns one row or two. Two halve what loads and shuffles cost, and fit no GPU's registers. CPU drivers from before Vulkan 1.4
    // (Mesa 22.3) run them at 0.6 of the speed forward, and take far longer to compile the backward pass.
    private static IEnumerable<Variant> Rows(GpuInfo info, DType type, int dimension) =>
        info.Type == GpuType.Cpu && Version.Parse(info.ApiVersion) >= new Version(1, 4)
            ?
            [
                Row("two rows a lane", info, type, dimension, own: 2, others: 2, othersBackward: 2),
                Row("row a lane", info, type, dimension, own: 1, others: 4, othersBackward: 1),
            ]
            : [Row("row a lane", info, type, dimension, own: 1, others: 4, othersBackward: 1)];

    // The other side comes so many rows at a time.
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

    // Tiles in shared memory, of any subgroup size: so many lanes share so many of their rows, in so many groups of lanes. The backward pass
    // stages two tensors of the own side where the forward pass stages one, and works on half the rows. On a CPU driver, where they are only
    // tested, small tiles: one of 16 x 16 with four rows an invocation took Mesa 22.3 some ten seconds to compile at D = 64.
    private static IEnumerable<Variant> Tiled(GpuInfo info, DType type, uint dimension)
    {
        (uint Lanes, uint Groups, uint Own)[] tiles =
            info.Type == GpuType.Cpu
                ? dimension <= 16
                    ? [(8, 4, 2), (16, 8, 4)]
                    : dimension <= 80
                        ? [(8, 4, 2)]
                        : [(4, 4, 2)]
                : [(8, 16, 4), (8, 8, 8), (8, 8, 4), (16, 8, 4), (4, 16, 4), (4, 8, 4)];
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

        // Own and staged rows and weights, each an odd number of 16 bytes wide, and a value of each lane of a row.
        long SharedBytes(uint lanes, uint rows, uint ownTiles) =>
            (16L * ((((ownTiles * rows) + (8 * lanes)) * ((dimension + 3) / 4 | 1)) + (rows * (lanes | 1))))
            + (4L * rows * lanes);
    }

    // Tiles for the matrix units' shape that takes this type and sums in F32; none where there is no such shape, where it does not divide
    // the head dimension, or where shared memory or workgroups are too small.
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
        uint lanes = (uint)info.SubgroupSize;
        // On a CPU driver, where units are only tested, small tiles: two of them at D = 64 took 45 s to compile.
        (uint Subgroups, uint Fragments, uint Block)[] tiles =
            info.Type == GpuType.Cpu
                ? dimension <= 32
                    ? [(2, 1, 16), (1, 2, 16)]
                    : [(2, 1, 16)]
                : [(4, 1, 64), (4, 1, 32), (2, 1, 64), (8, 1, 64), (4, 2, 64), (4, 2, 32)];
        return tiles
            .Where(t =>
                t.Subgroups * lanes <= info.MaxWorkgroupSize
                && SharedBytes(t.Subgroups, t.Fragments * unit.M, t.Block) <= info.SharedMemoryBytes
            )
            .Where(t => Fits(t.Fragments * unit.M, t.Block))
            .Select(t => Tile(t.Subgroups, t.Fragments * unit.M, t.Block));

        Variant Tile(uint subgroups, uint rows, uint block)
        {
            uint[] specialization =
            [
                subgroups * lanes,
                subgroups,
                rows,
                block,
                dimension,
                unit.M,
                unit.N,
                unit.K,
                lanes,
            ];
            return new(
                $"cooperative {subgroups}x{rows}x{block} {unit.M}x{unit.N}x{unit.K}",
                type == DType.F16 ? CooperativeF16 : CooperativeBF16,
                type == DType.F16 ? CooperativeBackwardQueryF16 : CooperativeBackwardQueryBF16,
                type == DType.F16 ? CooperativeBackwardKeyValueF16 : CooperativeBackwardKeyValueBF16,
                subgroups * rows,
                subgroups * rows,
                specialization,
                specialization,
                OnUnits: true
            );
        }

        // A row of scores is shared by so many lanes, each of which has runs of eight; rows spread over lanes without remainder.
        bool Fits(uint rows, uint block)
        {
            uint lanesOfRow = Math.Max(lanes / rows, 1);
            return rows * lanesOfRow % lanes == 0
                && block % (8 * lanesOfRow) == 0
                && block % unit.N == 0
                && block % unit.K == 0
                && block >= 2 * unit.N;
        }

        // Two staged blocks, the subgroups' scratch with 16 bytes of skew a row, and two statistics of a block.
        long SharedBytes(uint subgroups, uint rows, uint block) =>
            (2L * block * 2 * (dimension + 8))
            + ((long)subgroups * rows * (Math.Max(4 * block, 2 * dimension) + 16))
            + (2L * 4 * block);
    }

    /// <summary>The names of the variants that a device chooses from, the one of an untuned device first.</summary>
    internal static IReadOnlyList<string> Candidates(GpuInfo info, DType type, int dimension) =>
        [.. Variants(info, type, dimension).Select(variant => variant.Name)];

    /// <summary>The names of all variants that run on a device, whether they are its candidates or not: tests hold each to the oracle.</summary>
    internal static IReadOnlyList<string> Names(GpuInfo info, DType type, int dimension) =>
        [.. All(info, type, dimension).Select(variant => variant.Name)];
}
