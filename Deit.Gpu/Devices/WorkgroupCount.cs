namespace Deit.Gpu;

/// <summary>The number of workgroups in x, y and z.</summary>
public readonly record struct WorkgroupCount(uint X, uint Y = 1, uint Z = 1)
{
    /// <summary>Workgroups of <paramref name="size"/> that cover <paramref name="count"/>.</summary>
    public static uint Cover(long count, long size) => checked((uint)((count + size - 1) / size));
}
