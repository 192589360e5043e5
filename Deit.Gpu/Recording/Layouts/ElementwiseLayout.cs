namespace Deit.Gpu;

/// <summary>How elementwise kernels are laid out: see <c>shaders/Shared/elementwise_layout.glsl</c>.</summary>
internal static class ElementwiseLayout
{
    private const int Items = 4;

    /// <summary>Specialization constant 0 of an elementwise kernel.</summary>
    public static uint WorkgroupSize(GpuInfo info) => (uint)info.FlatWorkgroup;

    /// <summary>Workgroups that cover a number of elements.</summary>
    public static WorkgroupCount Workgroups(GpuInfo info, long count) =>
        Line(info, WorkgroupCount.Cover(count, (long)WorkgroupSize(info) * Items));

    /// <summary>So many workgroups in a long line over x and y, since x alone ends early on some devices.</summary>
    internal static WorkgroupCount Line(GpuInfo info, long groups)
    {
        long x = Math.Min(groups, info.MaxWorkgroups.X);
        return new WorkgroupCount((uint)x, WorkgroupCount.Cover(groups, x));
    }

    /// <summary>The specialization constants of a kernel or of its <c>address</c> variant.</summary>
    public static uint[] Specialization(GpuInfo info, bool byAddress) =>
        byAddress ? AddressLayout.Specialization(info) : [WorkgroupSize(info)];

    /// <summary>Workgroups of a kernel or of its <c>address</c> variant that cover a number of elements.</summary>
    public static WorkgroupCount Workgroups(GpuInfo info, long count, bool byAddress) =>
        byAddress ? AddressLayout.OfElements(info, count) : Workgroups(info, count);

    /// <summary>Parts of a long row of elements that can be bound: start and length in elements, the starts aligned.</summary>
    public static IEnumerable<(long Start, int Length)> Ranges(
        GpuInfo info,
        long elements,
        int elementBytes = sizeof(float)
    )
    {
        // One invocation's index is a uint and a range a signed int: half of either is plenty.
        long limit =
            Math.Min(info.MaxStorageBufferRange / elementBytes, 1 << 30) / Storage.Alignment * Storage.Alignment;
        for (long start = 0; start < elements; start += limit)
            yield return (start, (int)Math.Min(limit, elements - start));
    }
}
