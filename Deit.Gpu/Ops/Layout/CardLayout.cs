namespace Deit.Gpu;

/// <summary>
/// Whether kernels of rows and columns are laid out for a card, which hides what memory takes behind many subgroups at a time, or for a CPU
/// driver, whose threads walk over the lanes one after the other.
/// </summary>
internal static class CardLayout
{
    public static bool Suits(Recorder recorder) => recorder.Forced.CardLayout || recorder.Info.Type != GpuType.Cpu;
}
