using Silk.NET.Vulkan;

namespace Deit.Gpu.Vulkan;

/// <summary>Every Vulkan result passes through here.</summary>
internal static class VulkanError
{
    /// <summary>Throws for anything but success.</summary>
    public static void Check(Result result, string operation)
    {
        if (result != Result.Success)
            throw Of(result, operation);
    }

    /// <summary>The exception of a failure.</summary>
    public static GpuException Of(Result result, string operation) =>
        result switch
        {
            Result.ErrorDeviceLost => new GpuException(
                GpuErrorKind.DeviceLost,
                $"The device was lost while {operation}; files on disk are intact: restart, and if it happens "
                    + "again lower the batch size or update the driver.",
                (int)result
            ),
            Result.ErrorOutOfDeviceMemory
            or Result.ErrorOutOfHostMemory
            or Result.ErrorOutOfPoolMemory
            or Result.ErrorFragmentedPool
            or Result.ErrorFragmentation => new GpuException(
                GpuErrorKind.OutOfMemory,
                $"Out of memory while {operation} ({result}); lower the batch size or close other programs that use the device.",
                (int)result
            ),
            _ => new GpuException(
                GpuErrorKind.Vulkan,
                $"Vulkan answered {result} while {operation}; update the graphics driver, or choose another device with --device.",
                (int)result
            ),
        };
}
