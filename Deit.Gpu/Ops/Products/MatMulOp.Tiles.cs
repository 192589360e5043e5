namespace Deit.Gpu;

// Products on tiles in shared memory, for GPUs.
public static partial class MatMulOp
{
    private static readonly Kernel<Push> Tiled = new("matmul.tiled");
    private static readonly Kernel<Push> TiledF16 = new("matmul.tiled.f16"),
        TiledF16ToF32 = new("matmul.tiled.f16_f32");
    private static readonly Kernel<Push> TiledHalf = new("matmul.tiled.f16_half"),
        TiledHalfToF32 = new("matmul.tiled.f16_f32_half");
    private static readonly Kernel<Push> TiledBF16 = new("matmul.tiled.bf16"),
        TiledBF16ToF32 = new("matmul.tiled.bf16_f32");

    // Where there are matrix units they multiply, and a CPU driver has no shared memory to save.
    private static bool MayHalve(GpuInfo info, Types types) =>
        info.Type != GpuType.Cpu && !Cooperative(info, types).Any();

    private static IEnumerable<Variant> Tiles(GpuInfo info, Types types, bool vectors)
    {
        Kernel<Push> kernel = types switch
        {
            { Short: false } => Tiled,
            { Name: "f16" } => TiledF16,
            { Name: "f16_f32" } => TiledF16ToF32,
            { Name: "bf16" } => TiledBF16,
            _ => TiledBF16ToF32,
        };
        return [Tile(64, 64, 4, 4), Tile(32, 32, 4, 4), Tile(128, 64, 8, 4), Tile(128, 128, 8, 8)];

        Variant Tile(uint bm, uint bn, uint tm, uint tn) =>
            OnTile(info, kernel, "tiled", bytesOfFactor: 4, (bm, bn), (tm, tn), vectors);
    }

    // Slabs of 16 bits take half the shared memory and a third fewer registers. Whether that pays differs: RDNA 1 and 2
    // multiply 16-bit factors as they are, Vega converts them first, and RDNA 3 then issues one multiply-add at a time, not two.
    private static IEnumerable<Variant> HalfTiles(GpuInfo info, Types types, bool vectors)
    {
        if (!info.Float16 || types.Name is not ("f16" or "f16_f32"))
            return [];
        Kernel<Push> kernel = types.Name == "f16" ? TiledHalf : TiledHalfToF32;
        return [Tile(64, 64, 4, 4), Tile(128, 64, 8, 4), Tile(128, 128, 8, 8)];

        Variant Tile(uint bm, uint bn, uint tm, uint tn) =>
            OnTile(info, kernel, "half", bytesOfFactor: 2, (bm, bn), (tm, tn), vectors);
    }

    private static Variant OnTile(
        GpuInfo info,
        Kernel<Push> kernel,
        string name,
        uint bytesOfFactor,
        (uint M, uint N) block,
        (uint M, uint N) own,
        bool vectors
    )
    {
        const uint Depth = 16;
        uint threads = block.M / own.M * (block.N / own.N),
            slabBytes = 4 * bytesOfFactor * Depth * ((block.M / 4) + 1 + (block.N / 4) + 1);
        return new(
            $"{name} {block.M}x{block.N}x{Depth} {own.M}x{own.N}",
            kernel,
            block.M,
            block.N,
            [
                threads,
                block.M,
                block.N,
                Depth,
                own.M,
                own.N,
                threads,
                2 * slabBytes <= info.SharedMemoryBytes ? 2u : 1u,
                vectors ? 1u : 0u,
            ],
            Fours: true
        );
    }
}
