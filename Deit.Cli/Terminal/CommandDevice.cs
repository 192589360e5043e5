using Deit.Gpu;
using Deit.Train.Options;

namespace Deit.Cli.Terminal;

/// <summary>The device of a command.</summary>
internal static class CommandDevice
{
    /// <summary>Opens it for somebody who waits for answers: kernels are measured for a few seconds at most.</summary>
    /// <param name="device">The device.</param>
    /// <param name="kernels">Whether there is more time for that, or none.</param>
    /// <exception cref="GpuException">No such device, or none at all.</exception>
    public static GpuDevice OpenForInference(DeviceOptions device, KernelOptions kernels)
    {
        GpuDevice open = Open(device.Selector);
        open.Choices.Budget = kernels.Budget(KernelChoices.InferenceBudget);
        return open;
    }

    /// <summary>Opens it. The error stream tells where what is compiled for it cannot be kept.</summary>
    /// <param name="selector">As of <see cref="GpuDevice.Open(string)"/>.</param>
    /// <exception cref="GpuException">No such device, or none at all.</exception>
    public static GpuDevice Open(string? selector)
    {
        GpuDevice device = GpuDevice.Open(selector);
        if (device.CacheNotice is { } notice)
            Output.Notice(notice);
        return device;
    }
}
