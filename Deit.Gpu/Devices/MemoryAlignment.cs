namespace Deit.Gpu;

/// <summary>The places where a range of device memory may start.</summary>
internal static class MemoryAlignment
{
    /// <summary>Tensors start at multiples of this many bytes: the largest minStorageBufferOffsetAlignment that Vulkan allows.</summary>
    public const int Bytes = 256;

    /// <summary>The next multiple.</summary>
    public static long Align(long bytes) => (bytes + Bytes - 1) / Bytes * Bytes;
}
