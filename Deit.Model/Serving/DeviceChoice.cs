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
        string? named = Named(options, environment);
        GpuInfo info = find(named);
        bool isFallback = info.Type == GpuType.Cpu && named is null;
        if (isFallback && !options.CpuFallback)
            throw new GpuException(
                GpuErrorKind.NoDevice,
                $"Loading '{path}' found no GPU, only the processor ({info.Name}); install the graphics driver, or "
                    + (
                        options.Fallback.Loader is null
                            ? "allow the processor with DeitModelOptions.CpuFallback = true."
                            : $"load it with DeitModels, which falls back to {options.Fallback}."
                    )
            );
        return (info, isFallback);
    }

    /// <summary>Why no GPU answers; null where one does, or where a device is named, which must answer itself.</summary>
    /// <param name="options">The options of the model.</param>
    public static string? WhyNoGpu(DeitModelOptions options) =>
        WhyNoGpu(options, Environment.GetEnvironmentVariable("DEIT_DEVICE"), GpuDevice.Find);

    /// <summary>The same in a given environment, for tests.</summary>
    internal static string? WhyNoGpu(DeitModelOptions options, string? environment, Func<string?, GpuInfo> find)
    {
        if (Named(options, environment) is not null)
            return null;
        try
        {
            GpuInfo best = find(null);
            return best.Type == GpuType.Cpu ? $"There is only the processor ({best.Name})." : null;
        }
        catch (GpuException error) when (error.Reason == GpuErrorKind.NoDevice)
        {
            return error.Message;
        }
    }

    private static string? Named(DeitModelOptions options, string? environment) =>
        !string.IsNullOrWhiteSpace(options.Device) ? options.Device
        : !string.IsNullOrWhiteSpace(environment) ? environment
        : null;
}
