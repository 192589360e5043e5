namespace Deit.Gpu;

/// <summary>The subgroup sizes, powers of two, that a compute kernel may ask for; none when both are 0.</summary>
internal readonly record struct SubgroupRange(int Least, int Most)
{
    /// <summary>Whether a kernel may ask for subgroups of a size.</summary>
    public bool Contains(int size) => Least <= size && size <= Most;

    /// <summary>
    /// The narrowest size of at least 8 lanes that may be asked for. Where none may be that is narrower than the
    /// device's own, it is the device's own.
    /// </summary>
    public int Narrowest(int reported)
    {
        int narrowest = Math.Max(Least, 8);
        return Contains(narrowest) ? Math.Min(narrowest, reported) : reported;
    }
}
