namespace Deit.Gpu;

/// <summary>
/// Whether kernels of rows and columns are laid out for a card, which hides what memory takes behind many subgroups at a time, or for a CPU
/// driver, whose threads walk over the lanes one after the other.
/// </summary>
internal static class CardLayout
{
    /// <summary>Lays out kernels of this thread as for a card, whatever the device: for tests.</summary>
    [ThreadStatic]
    internal static bool Forced;

    public static bool Suits(GpuInfo info) => Forced || info.Type != GpuType.Cpu;
}
