namespace Deit.Gpu;

/// <summary>
/// The subgroup sizes, powers of two, of which a compute kernel can be sure: those that it may ask for, or the only one that
/// the device has. None when both are 0.
/// </summary>
internal readonly record struct SubgroupRange(int Least, int Most)
{
    /// <summary>Whether the device has one size alone: kernels need not ask for it, and on some drivers may not.</summary>
    public bool IsFixed => Least == Most && Least > 0;

    /// <summary>
    /// Whether subgroups of all sizes have the same registers, so that lanes of narrow ones have more. GPUs that offer fewer
    /// than 32 lanes besides more are built so: Intel's.
    /// </summary>
    public bool SharesRegisters => Least is > 0 and < 32 && Most > Least;

    /// <summary>Whether a kernel can have subgroups of a size.</summary>
    public bool Contains(int size) => Least <= size && size <= Most;

    /// <summary>
    /// The narrowest size of at least 8 lanes that a kernel can have. Where none is narrower than the device's own, it is
    /// the device's own.
    /// </summary>
    public int Narrowest(int reported)
    {
        int narrowest = Math.Max(Least, 8);
        return Contains(narrowest) ? Math.Min(narrowest, reported) : reported;
    }
}
