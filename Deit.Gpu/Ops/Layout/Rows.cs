namespace Deit.Gpu;

/// <summary>How kernels that give each row a subgroup are laid out: see <c>shaders/rows.glsl</c>.</summary>
internal static class Rows
{
    // A multiprocessor holds no more than so many workgroups, 32 on NVIDIA's: of one subgroup each they would leave half of its places empty.
    private const int OnCard = 4;

    /// <summary>Specialization constant 0 of a row kernel: a subgroup for each row of a workgroup.</summary>
    public static uint Workgroup(Recorder recorder) => (uint)(PerWorkgroup(recorder) * recorder.Info.SubgroupSize);

    /// <summary>Specialization constant 1 of a kernel that reads four columns at a time, see <c>shaders/four.glsl</c>: 1 where they may be one access.</summary>
    public static uint Vectors(int columns) => columns % 4 == 0 ? 1u : 0u;

    /// <summary>Workgroups that cover a number of rows.</summary>
    public static Groups Groups(Recorder recorder, int rows)
    {
        uint groups = Gpu.Groups.Cover(rows, PerWorkgroup(recorder)),
            x = Math.Min(groups, recorder.Info.MaxWorkgroups.X);
        return new Groups(x, Gpu.Groups.Cover(groups, x));
    }

    private static int PerWorkgroup(Recorder recorder)
    {
        GpuInfo info = recorder.Info;
        return CardLayout.Suits(recorder) && info.SubgroupSizes.Contains(info.SubgroupSize)
            ? Math.Clamp(info.MaxWorkgroupSize / info.SubgroupSize, 1, OnCard)
            : 1;
    }
}
