namespace Deit.Gpu;

/// <summary>
/// How kernels of rows and of elements are laid out whose lanes read neighbours by an address that they share: see
/// <c>shaders/Shared/own.glsl</c>. They are the <c>address</c> variants of the F32 kernels, and run on CPU drivers.
/// </summary>
internal static class AddressLayout
{
    // As VECTORS_EACH of shaders/Shared/elementwise_layout.glsl.
    private const long VectorsOfWorkgroup = 64;

    /// <summary>Whether such kernels run on a device.</summary>
    public static bool RunsOn(GpuInfo info) =>
        info is { Type: GpuType.Cpu, CardLayout: false, BufferAddresses: true, SubgroupBallot: true }
        && info.SubgroupSize is 4 or 8 or 16;

    /// <summary>Whether rows of so many elements divide into four vectors each.</summary>
    public static bool FitsRows(GpuInfo info, int columns) => columns % (4 * info.SubgroupSize) == 0;

    /// <summary>Specialization constants 0 and 1: the workgroup, and the lanes of a subgroup.</summary>
    public static uint[] Specialization(GpuInfo info) => [(uint)info.SubgroupSize, (uint)info.SubgroupSize];

    /// <summary>Workgroups that cover a number of elements.</summary>
    public static WorkgroupCount OfElements(GpuInfo info, long count) =>
        ElementwiseLayout.Line(info, WorkgroupCount.Cover(count, info.SubgroupSize * VectorsOfWorkgroup));
}
