namespace Deit.Gpu;

/// <summary>How kernels that give each row a workgroup are laid out: see <c>shaders/reduce.glsl</c>.</summary>
internal static class Rows
{
    /// <summary>Specialization constant 0 of a row kernel: one subgroup, so that its sums need no barrier.</summary>
    public static uint Workgroup(Recorder recorder) => (uint)recorder.Device.Info.RowWorkgroup;

    /// <summary>Specialization constant 1 of a kernel that reads four columns at a time, see <c>shaders/four.glsl</c>: 1 where they may be one access.</summary>
    public static uint Vectors(int columns) => columns % 4 == 0 ? 1u : 0u;

    /// <summary>One workgroup a row.</summary>
    public static Groups Groups(Recorder recorder, int rows)
    {
        uint x = (uint)Math.Min(rows, recorder.Device.Info.MaxWorkgroups.X);
        return new Groups(x, Gpu.Groups.Cover(rows, x));
    }
}
