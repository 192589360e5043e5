namespace Deit.Gpu;

/// <summary>
/// Decides whether kernels of rows and of elements read by an address that lanes share: see <see cref="AddressLayout"/>. A copy is measured
/// both ways, once for a device. What it says holds for the other kernels: they differ in the loads and stores that the driver's
/// compiler makes.
/// </summary>
internal static class SharedAddresses
{
    private const string ByBinding = "by binding",
        ByAddress = "by address";

    /// <summary>Whether rows of so many elements of these types are read so.</summary>
    public static bool ReadRows(Recorder r, int columns, params ReadOnlySpan<DType> types)
    {
        foreach (DType type in types)
            if (type != DType.F32)
                return false;
        return AddressLayout.RunsOn(r.Info) && AddressLayout.FitsRows(r.Info, columns) && Read(r);
    }

    /// <summary>Whether so many elements of 32 bits are read so.</summary>
    public static bool ReadElements(Recorder r, long count) =>
        AddressLayout.RunsOn(r.Info) && count % r.Info.SubgroupSize == 0 && Read(r);

    private static bool Read(Recorder r)
    {
        if (r.Forced.Addresses is { } forced)
            return forced;
        // The activations of DeiT-Ti at a batch of 8.
        Shape sample = [8, 197, 192];
        // A copy differs in no bit; the smallest number stands for 0, which no difference can be divided by.
        KernelTrial trial = new([sample], DType.F32, ByBinding, Absolute: float.Epsilon, Relative: 0);
        return r.Choose("elements f32", [Candidate(ByBinding), Candidate(ByAddress)], trial) == ByAddress;

        static KernelCandidate Candidate(string name) =>
            new(
                name,
                (recorder, x) =>
                {
                    Tensor y = recorder.Empty(x[0].Shape);
                    CopyOp.RecordPart(recorder, name == ByAddress, x[0], y);
                    return y;
                }
            );
    }
}
