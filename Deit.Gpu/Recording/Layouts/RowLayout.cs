namespace Deit.Gpu;

/// <summary>How kernels that give each row a subgroup are laid out: see <c>shaders/Shared/row_layout.glsl</c>.</summary>
internal static class RowLayout
{
    // A multiprocessor holds a limited number of workgroups, 32 on NVIDIA's. Workgroups of one subgroup would leave
    // half of its places for subgroups empty.
    private const int OnCard = 4;

    /// <summary>Specialization constant 0 of a row kernel: a subgroup for each row of a workgroup.</summary>
    public static uint WorkgroupSize(GpuInfo info) => (uint)(PerWorkgroup(info) * info.SubgroupSize);

    /// <summary>
    /// Specialization constant 1 of a kernel that reads four columns at a time, see <c>shaders/Shared/four.glsl</c>: 1
    /// where they may be one access.
    /// </summary>
    public static uint Vectors(int columns) => columns % 4 == 0 ? 1u : 0u;

    /// <summary>The specialization constants of a kernel that reads four columns at a time, or of its <c>address</c> variant.</summary>
    public static uint[] Specialization(GpuInfo info, int columns, bool byAddress) =>
        byAddress ? AddressLayout.Specialization(info) : [WorkgroupSize(info), Vectors(columns)];

    /// <summary>Workgroups that cover a number of rows.</summary>
    public static WorkgroupCount Workgroups(GpuInfo info, int rows)
    {
        uint groups = WorkgroupCount.Cover(rows, PerWorkgroup(info)),
            x = Math.Min(groups, info.MaxWorkgroups.X);
        return new WorkgroupCount(x, WorkgroupCount.Cover(groups, x));
    }

    private static int PerWorkgroup(GpuInfo info) =>
        info.CardLayout && info.SubgroupSizes.Contains(info.SubgroupSize)
            ? Math.Clamp(info.MaxWorkgroupSize / info.SubgroupSize, 1, OnCard)
            : 1;
}
