namespace Deit.Gpu;

// The variants that run on matrix units.
public static partial class MatMulOp
{
    private static readonly Kernel<Push> CooperativeF16 = new("matmul.cooperative.f16", SubgroupDemand.Units),
        CooperativeF16ToF32 = new("matmul.cooperative.f16_f32", SubgroupDemand.Units);
    private static readonly Kernel<Push> CooperativeBF16 = new("matmul.cooperative.bf16", SubgroupDemand.Units),
        CooperativeBF16ToF32 = new("matmul.cooperative.bf16_f32", SubgroupDemand.Units);
    private static readonly Kernel<Push> CooperativeBF16x3 = new("matmul.cooperative.bf16x3", SubgroupDemand.Units),
        CooperativeF16x3 = new("matmul.cooperative.f16x3", SubgroupDemand.Units);

    private static readonly Kernel<Push> Cooperative2F16 = new("matmul.cooperative2.f16"),
        Cooperative2F16ToF32 = new("matmul.cooperative2.f16_f32");
    private static readonly Kernel<Push> Cooperative2BF16 = new("matmul.cooperative2.bf16"),
        Cooperative2BF16ToF32 = new("matmul.cooperative2.bf16_f32");

    // A tile for each shape of the matrix units that takes these factors and sums in F32. There is none where the
    // device lacks such a shape, or where shared memory or workgroups are too small. A CPU driver gets one small tile,
    // since its compiler unrolls it for seconds.
    private static IEnumerable<Variant> Cooperative(GpuInfo info, Types types)
    {
        if (
            info
                .MatrixShapes.Where(shape =>
                    shape.Input == types.UnitInput && shape.Accumulator == "f32" && shape.Scope == "subgroup"
                )
                .OrderBy(shape => Math.Abs((int)shape.K - 16))
                .FirstOrDefault()
            is not { } unit
        )
            return [];
        Kernel<Push> kernel = types.Name switch
        {
            "f16" => CooperativeF16,
            "f16_f32" => CooperativeF16ToF32,
            "bf16" => CooperativeBF16,
            "bf16_f32" => CooperativeBF16ToF32,
            "f16x3" => CooperativeF16x3,
            _ => CooperativeBF16x3,
        };
        uint parts = types.Short ? 1u : 2u,
            lanes = (uint)info.UnitSubgroupSize;
        return TilesOnUnits(info, types)
            .Where(t => RegisterBytes(t.M / t.SubgroupsM, t.N / t.SubgroupsN, unit.K, parts) <= info.UnitRegisterBytes)
            .Where(t => t.M % (t.SubgroupsM * unit.M) == 0 && t.N % (t.SubgroupsN * unit.N) == 0 && t.K % unit.K == 0)
            .Where(t =>
                t.SubgroupsM * t.SubgroupsN * lanes <= info.MaxWorkgroupSize
                && t.SubgroupsM * t.SubgroupsN <= info.MaxWorkgroupSubgroups
                && parts * SharedBytes(t.M, t.N, t.K) <= info.SharedMemoryBytes
            )
            .Select(t => new Variant(
                $"cooperative {t.M}x{t.N}x{t.K} {t.SubgroupsM}x{t.SubgroupsN} {unit.M}x{unit.N}x{unit.K}",
                kernel,
                t.M,
                t.N,
                [
                    t.SubgroupsM * t.SubgroupsN * lanes,
                    t.M,
                    t.N,
                    t.K,
                    t.SubgroupsM,
                    t.SubgroupsN,
                    unit.M,
                    unit.N,
                    unit.K,
                    lanes,
                ],
                Fours: true,
                OnUnits: true
            ));

        // Two slabs of both factors; the larger of a slab's two forms, with 16 bytes of skew a row.
        static long SharedBytes(uint m, uint n, uint k) =>
            2 * 2 * (Math.Max(m * (k + 8), k * (m + 8)) + Math.Max(n * (k + 8), k * (n + 8)));
    }

    /// <summary>
    /// An estimate of the registers that a subgroup needs at least: its sums of F32, and the fragments of both factors
    /// that make one step along K. Each part of a factor has 16 bits.
    /// </summary>
    internal static long RegisterBytes(uint rows, uint columns, uint depth, uint parts) =>
        (4L * rows * columns) + (2L * parts * depth * (rows + columns));

    // Rows, columns and depth of a workgroup's tile, and its subgroups. Factors in two parts take twice the shared
    // memory: 48 KiB hold slabs of half the depth.
    private static (uint M, uint N, uint K, uint SubgroupsM, uint SubgroupsN)[] TilesOnUnits(GpuInfo info, Types types)
    {
        uint depth = types.Short ? 32u : 16u;
        if (info.Type == GpuType.Cpu)
            return [(32, types.Short ? 32u : 16u, 16, 2, 1)];
        // Of Intel's GPUs, whose subgroups have few registers. Tiles of 32 x 32 and more a subgroup did not fit them in any
        // form: compiled for DG2 they spilled up to 1,753 registers, for BMG 798. 16 x 32 fit both.
        if (info.SubgroupSizes.SharesRegisters)
        {
            uint first = info.UnitRegisterBytes <= 4096 ? 16u : 32u;
            return types.Short
                ? [(128, 128, first, 8, 4), (128, 128, 48 - first, 8, 4), (64, 128, 32, 4, 4), (64, 64, 32, 4, 2)]
                : [(64, 64, 16, 4, 4), (32, 64, 16, 2, 4)];
        }
        return
        [
            (128, 128, depth, 2, 4),
            (64, 64, 32, 2, 2),
            (128, 64, depth, 2, 2),
            (64, 128, depth, 2, 2),
            // 64 x 64 a subgroup reads half a fragment a product from shared memory, where 64 x 32 reads three quarters.
            (128, 128, depth, 2, 2),
            (256, 128, 16, 4, 2),
            (128, 256, 16, 2, 4),
            (64, 192, depth, 2, 2),
            (128, 192, 16, 2, 4), // DeiT-Ti's 192 and 576 columns, without a tile's rest
        ];
    }

    // Matrices that a workgroup of 256 shares; empty where the device has none.
    private static IEnumerable<Variant> Cooperative2(GpuInfo info, Types types)
    {
        const uint Invocations = 256;
        if (
            !types.Short
            || info.MatrixShapes.FirstOrDefault(shape =>
                shape.Input == types.UnitInput
                && shape.Accumulator == "f32"
                && shape.Scope == "workgroup"
                && shape.Invocations == Invocations
            )
                is not { } unit
        )
            return [];
        Kernel<Push> kernel = types.Name switch
        {
            "f16" => Cooperative2F16,
            "f16_f32" => Cooperative2F16ToF32,
            "bf16" => Cooperative2BF16,
            _ => Cooperative2BF16ToF32,
        };
        (uint M, uint N, uint K)[] tiles = [(128, 128, 64), (128, 256, 64), (256, 128, 64), (128, 64, 64)];
        return tiles
            .Where(t =>
                t.M % unit.M == 0
                && t.N % unit.N == 0
                && t.K % unit.K == 0
                && Math.Max(t.M, t.N) <= info.MaxMatrixDimension
            )
            .Select(t => new Variant(
                $"cooperative2 {t.M}x{t.N}x{t.K}",
                kernel,
                t.M,
                t.N,
                [Invocations, t.M, t.N, t.K],
                OnUnits: true
            ));
    }
}
