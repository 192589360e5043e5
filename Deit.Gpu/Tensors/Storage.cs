using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>A run of bytes that tensors share: fixed in an arena from the start, or placed by a graph's memory plan.</summary>
internal sealed class Storage(long byteLength, bool transient)
{
    /// <summary>Tensors start at multiples of this many bytes.</summary>
    public const int Alignment = MemoryAlignment.Bytes;

    public long ByteLength { get; } = byteLength;

    /// <summary>True when a graph's memory plan decides where the bytes lie.</summary>
    public bool Transient { get; } = transient;

    /// <summary>True when the elements lie in the order of a kernel, and whoever binds the storage knows it.</summary>
    public bool IsRearranged { get; init; }

    /// <summary>The buffer that holds the bytes; null until planned.</summary>
    public DeviceBuffer? Buffer { get; private set; }

    /// <summary>Where in <see cref="Buffer"/> the bytes start.</summary>
    public long ByteOffset { get; private set; }

    public void Place(DeviceBuffer buffer, long byteOffset)
    {
        if (byteOffset % Alignment != 0)
            throw new ArgumentException(
                $"A storage starts at byte {byteOffset}, expected a multiple of {Alignment}.",
                nameof(byteOffset)
            );
        (Buffer, ByteOffset) = (buffer, byteOffset);
    }

    public static long Align(long bytes) => MemoryAlignment.Align(bytes);
}
