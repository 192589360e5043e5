namespace Deit.Gpu;

/// <summary>The subgroups that a kernel counts on.</summary>
public enum SubgroupDemand
{
    /// <summary>It runs with any.</summary>
    None,

    /// <summary>Full ones of <see cref="GpuInfo.SubgroupSize"/>.</summary>
    Full,

    /// <summary>Full ones of <see cref="GpuInfo.NarrowSubgroupSize"/>, because its lanes keep hundreds of values.</summary>
    Narrow,

    /// <summary>Full ones of <see cref="GpuInfo.UnitSubgroupSize"/>, whose matrix units hold a tile together.</summary>
    Units,
}
