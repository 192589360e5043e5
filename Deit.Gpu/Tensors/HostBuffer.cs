using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>
/// Memory that host and device see: the host fills it while the device still computes, and a copy is queued behind that
/// work.
/// </summary>
public sealed unsafe class HostBuffer : IDisposable
{
    private readonly VulkanDevice _device;
    private readonly MemoryBlock _block;
    private readonly TransferCommands _commands;
    private ulong _busyUntil;
    private bool _disposed;

    internal HostBuffer(VulkanDevice device, long byteLength)
    {
        (_device, ByteLength) = (device, byteLength);
        _block = device.Memory.CreateUpload(Storage.Align(byteLength));
        try
        {
            _commands = new TransferCommands(device);
        }
        catch
        {
            device.Memory.DestroyHandles(_block);
            throw;
        }
    }

    /// <summary>Bytes of the buffer.</summary>
    public long ByteLength { get; }

    /// <summary>The memory to fill, which is slow to read back; waits until the device has read its earlier content.</summary>
    /// <exception cref="GpuException">The device was lost.</exception>
    public Span<float> Floats()
    {
        _device.Queue.Wait(_busyUntil);
        return new Span<float>(_block.Mapped, checked((int)(ByteLength / sizeof(float))));
    }

    /// <summary>Queues a copy of the first bytes to a tensor, after everything submitted so far, and returns at once.</summary>
    /// <exception cref="ArgumentException">The tensor is larger than the buffer.</exception>
    public void CopyTo(Tensor tensor, long byteOffset = 0)
    {
        if (byteOffset + tensor.ByteLength > ByteLength)
            throw new ArgumentException(
                $"Copying {tensor} from byte {byteOffset} of a host buffer of {ByteLength} bytes: it does not fit."
            );
        DeviceBuffer target = tensor.Buffer;
        _busyUntil = _commands.Copy(
            _block,
            byteOffset,
            target.Block,
            target.Offset + tensor.BufferOffset,
            tensor.ByteLength
        );
    }

    /// <summary>Waits for queued copies and gives the memory back.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _commands.Dispose();
        _device.Memory.DestroyHandles(_block);
    }
}
