using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>Device memory that lives until disposed, handed out front to back: parameters, optimiser state, inputs.</summary>
public sealed class Arena : IDisposable
{
    private readonly VulkanDevice _device;
    private readonly DeviceBuffer _buffer;
    private long _used;

    internal Arena(VulkanDevice device, string name, long byteLength)
    {
        (_device, Name, ByteLength) = (device, name, Storage.Align(byteLength));
        _buffer = device.Memory.Allocate(ByteLength, name);
    }

    /// <summary>A name for messages.</summary>
    public string Name { get; }

    /// <summary>Bytes of the arena.</summary>
    public long ByteLength { get; }

    /// <summary>The bytes that tensors of these shapes take in an arena, each padded to the alignment.</summary>
    public static long SizeOf(DType dtype, params IEnumerable<Shape> shapes) =>
        shapes.Sum(shape => Storage.Align(shape.Elements * dtype.Size()));

    /// <summary>The next free range as a tensor; its content is undefined.</summary>
    /// <exception cref="GpuException">The arena is full.</exception>
    public Tensor Allocate(Shape shape, DType dtype = DType.F32, string? name = null)
    {
        long bytes = shape.Elements * dtype.Size();
        if (_used + bytes > ByteLength)
            throw new GpuException(
                GpuErrorKind.OutOfMemory,
                $"Arena '{Name}' cannot hold {name ?? "a tensor"} {shape}: {bytes} bytes asked, "
                    + $"{ByteLength - _used} of {ByteLength} free; create the arena larger."
            );
        Tensor tensor = At(_used, shape, dtype, name);
        _used = Storage.Align(_used + bytes);
        return tensor;
    }

    /// <summary>A range of the arena as a tensor, over other tensors of it too: for flat passes over everything.</summary>
    /// <param name="byteOffset">A multiple of 256.</param>
    /// <param name="shape">The extents.</param>
    /// <param name="dtype">The element type.</param>
    /// <param name="name">A name for messages.</param>
    public Tensor At(long byteOffset, Shape shape, DType dtype = DType.F32, string? name = null)
    {
        Storage storage = new(shape.Elements * dtype.Size(), transient: false);
        if (byteOffset + storage.ByteLength > ByteLength)
            throw new ArgumentOutOfRangeException(
                nameof(byteOffset),
                $"A tensor {shape} at byte {byteOffset} does not fit arena '{Name}' of {ByteLength} bytes."
            );
        storage.Place(_buffer, byteOffset);
        return new Tensor(storage, 0, shape, dtype, name);
    }

    /// <summary>Waits for the device and gives the memory back; tensors of the arena must not be used any more.</summary>
    public void Dispose()
    {
        if (_buffer.Disposed)
            return;
        _device.Queue.WaitIdleQuietly();
        _buffer.Dispose();
    }
}
