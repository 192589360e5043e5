namespace Deit.Gpu;

/// <summary>The kinds of failure of a device, coarse enough to decide how to go on.</summary>
public enum GpuErrorKind
{
    /// <summary>No Vulkan loader, no driver, or no device of the name asked for.</summary>
    NoDevice,

    /// <summary>The device or the host has no memory left for the request.</summary>
    OutOfMemory,

    /// <summary>The device was reset or unplugged: every object of it is gone, files on disk are intact.</summary>
    DeviceLost,

    /// <summary>The request exceeds a limit of the device.</summary>
    Limit,

    /// <summary>The validation layers found a misuse (only with DEIT_VALIDATION=1).</summary>
    Validation,

    /// <summary>Any other failure of a Vulkan call.</summary>
    Vulkan,
}

/// <summary>The one error of the GPU layer: one sentence with operation, actual, expected and remedy.</summary>
/// <param name="kind">The kind of failure.</param>
/// <param name="message">One sentence for the user.</param>
/// <param name="result">The VkResult behind it, 0 where there is none.</param>
/// <param name="inner">The exception behind it.</param>
public sealed class GpuException(GpuErrorKind kind, string message, int result = 0, Exception? inner = null)
    : DeitException(kind is GpuErrorKind.OutOfMemory ? DeitErrorKind.Memory : DeitErrorKind.Device, message, inner)
{
    /// <summary>What failed, in more detail than <see cref="DeitException.Kind"/>.</summary>
    public GpuErrorKind Reason { get; } = kind;

    /// <summary>The VkResult behind the error, 0 where there is none.</summary>
    public int Result { get; } = result;
}
