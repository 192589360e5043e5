using Deit.Gpu;

namespace Deit.Model.Serving;

/// <summary>Chooses the device that a model runs on: a GPU, or the device that was named, or the processor where that
/// is allowed.</summary>
internal static class DeviceChoice
{
    /// <summary>The device to open.</summary>
    /// <param name="path">The model, for messages.</param>
    /// <param name="options">The options of the model.</param>
    /// <returns>The device, and whether it stands in for a GPU that is not there.</returns>
    /// <exception cref="GpuException">There is no such device, or no GPU and nothing allows the processor.</exception>
    public static (GpuInfo Info, bool IsFallback) For(string path, DeitModelOptions options) =>
        For(path, options, Environment.GetEnvironmentVariable("DEIT_DEVICE"), GpuDevice.Find);

    /// <summary>The device to open in a given environment, for tests.</summary>
    internal static (GpuInfo Info, bool IsFallback) For(
        string path,
        DeitModelOptions options,
        string? environment,
        Func<string?, GpuInfo> find
    )
    {
        string? named =
            !string.IsNullOrWhiteSpace(options.Device) ? options.Device
            : !string.IsNullOrWhiteSpace(environment) ? environment
            : null;
        GpuInfo info = find(named);
        bool isFallback = info.Type == GpuType.Cpu && named is null;
        if (isFallback && !options.CpuFallback)
            throw new GpuException(
                GpuErrorKind.NoDevice,
                $"Loading '{path}' found no GPU, only the processor ({info.Name}); install the graphics "
                    + "driver, or allow the processor with DeitModelOptions.CpuFallback = true."
            );
        return (info, isFallback);
    }
}
