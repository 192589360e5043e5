namespace Deit.Gpu;

/// <summary>How kernels that sum the rows of a matrix are laid out: see <c>shaders/Shared/column_layout.glsl</c>.</summary>
/// <param name="ColumnLanes">Invocations of a workgroup side by side, each with four columns.</param>
/// <param name="RowLanes">Invocations of a workgroup with the same columns, which take turns with the rows of its chunk.</param>
/// <param name="RowsPerChunk">Rows that a workgroup adds up.</param>
internal readonly record struct ColumnLayout(uint ColumnLanes, uint RowLanes, int RowsPerChunk)
{
    // Enough for a large card: 132 multiprocessors with eight workgroups of 256 each.
    private const int WorkgroupsOnCard = 1024,
        InvocationsOnCard = 256;

    /// <summary>The first of two stages, or the only one where it makes a single chunk.</summary>
    public static ColumnLayout InChunks(GpuInfo info, int rows, int columns)
    {
        // The square root balances both stages.
        if (!info.CardLayout)
            return OnCpu(info, Math.Max(32, (int)Math.Ceiling(Math.Sqrt(rows))));
        // 16 lanes read 128 bytes or more of a row. A lane has four rows or more.
        ColumnLayout card = OnCard(info, 16, rows);
        int turns = rows / (int)(Math.Max(1, WorkgroupsOnCard / card.Workgroups(rows, columns).X) * card.RowLanes);
        return card with { RowsPerChunk = Math.Max(4, turns) * (int)card.RowLanes };
    }

    /// <summary>The last stage, in which one workgroup adds up all rows of its columns.</summary>
    public static ColumnLayout Whole(GpuInfo info, int rows, int columns)
    {
        if (!info.CardLayout)
            return OnCpu(info, rows);
        // Where columns are few, each workgroup has 16 of them only. There are then more workgroups, each with more
        // lanes for the rows.
        return OnCard(info, columns < 4096 ? 4u : 16, rows);
    }

    /// <summary>Specialization constants 0 to 3: the workgroup, vectors and lanes.</summary>
    public uint[] Specialization(int columns) =>
        [ColumnLanes * RowLanes, RowLayout.Vectors(columns), ColumnLanes, RowLanes];

    /// <summary>Workgroups that cover columns, and chunks of the rows.</summary>
    public WorkgroupCount Workgroups(int rows, int columns) =>
        new(WorkgroupCount.Cover(columns, 4 * ColumnLanes), WorkgroupCount.Cover(rows, RowsPerChunk));

    private static ColumnLayout OnCpu(GpuInfo info, int rowsPerChunk) =>
        new((uint)Math.Min(64, info.MaxWorkgroupSize), 1, rowsPerChunk);

    private static ColumnLayout OnCard(GpuInfo info, uint columnLanes, int rowsPerChunk) =>
        new(columnLanes, (uint)Math.Min(InvocationsOnCard, info.MaxWorkgroupSize) / columnLanes, rowsPerChunk);
}
