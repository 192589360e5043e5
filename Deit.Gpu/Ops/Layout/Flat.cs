namespace Deit.Gpu;

/// <summary>How elementwise kernels are laid out: see <c>shaders/flat.glsl</c>.</summary>
internal static class Flat
{
    private const int Items = 4;

    /// <summary>Specialization constant 0 of an elementwise kernel.</summary>
    public static uint Workgroup(Recorder recorder) => (uint)recorder.Info.FlatWorkgroup;

    /// <summary>Workgroups that cover a number of elements.</summary>
    public static Groups Groups(Recorder recorder, long count)
    {
        long groups = Gpu.Groups.Cover(count, (long)Workgroup(recorder) * Items);
        long x = Math.Min(groups, recorder.Info.MaxWorkgroups.X);
        return new Groups((uint)x, Gpu.Groups.Cover(groups, x));
    }

    /// <summary>Parts of a long row of elements that can be bound: start and length in elements, the starts aligned.</summary>
    public static IEnumerable<(long Start, int Length)> Ranges(
        Recorder recorder,
        long elements,
        int elementBytes = sizeof(float)
    )
    {
        // One invocation's index is a uint and a range a signed int: half of either is plenty.
        long limit =
            Math.Min(recorder.Info.MaxStorageBufferRange / elementBytes, 1 << 30)
            / Storage.Alignment
            * Storage.Alignment;
        for (long start = 0; start < elements; start += limit)
            yield return (start, (int)Math.Min(limit, elements - start));
    }
}
