namespace Deit.Gpu.Vulkan;

/// <summary>
/// Moves bytes between host and device in queue order. Where the host sees the tensors' memory and the device is idle,
/// it is a plain copy. Otherwise the bytes pass through a ring of staging memory, so that a write never waits for the
/// step that still runs.
/// </summary>
internal sealed unsafe class Transfers : IDisposable
{
    private const long SlotBytes = 2L << 20;
    private const int SlotCount = 4;
    private readonly VulkanDevice _device;
    private readonly TransferCommands[] _slots;
    private readonly Lock _gate = new();
    private MemoryBlock? _staging;
    private int _next;

    public Transfers(VulkanDevice device)
    {
        _device = device;
        _slots = new TransferCommands[SlotCount];
        try
        {
            for (int i = 0; i < SlotCount; i++)
                _slots[i] = new TransferCommands(device);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Copies host bytes to the device, after everything submitted so far.</summary>
    public void Write(DeviceBuffer buffer, long offset, ReadOnlySpan<byte> bytes)
    {
        if (!_device.Runs)
            return;
        lock (_gate)
        {
            if (buffer.Block.Mapped != null && _device.Queue.Idle)
            {
                bytes.CopyTo(new Span<byte>(buffer.Block.Mapped + buffer.Offset + offset, bytes.Length));
                return;
            }
            for (int done = 0; done < bytes.Length; )
            {
                int count = (int)Math.Min(SlotBytes, bytes.Length - done);
                int slot = TakeSlot();
                bytes.Slice(done, count).CopyTo(new Span<byte>(Staging.Mapped + (slot * SlotBytes), count));
                _slots[slot].Copy(Staging, slot * SlotBytes, buffer.Block, buffer.Offset + offset + done, count);
                done += count;
            }
        }
    }

    /// <summary>Copies device bytes to the host, after everything submitted so far has finished.</summary>
    public void Read(DeviceBuffer buffer, long offset, Span<byte> bytes)
    {
        if (!_device.Runs)
        {
            bytes.Clear();
            return;
        }
        lock (_gate)
        {
            if (buffer.Block.Mapped != null && _device.Memory.HostCached)
            {
                _device.Queue.WaitIdle();
                new ReadOnlySpan<byte>(buffer.Block.Mapped + buffer.Offset + offset, bytes.Length).CopyTo(bytes);
                return;
            }
            for (int done = 0; done < bytes.Length; )
            {
                int count = (int)Math.Min(SlotBytes, bytes.Length - done);
                int slot = TakeSlot();
                _slots[slot].Copy(buffer.Block, buffer.Offset + offset + done, Staging, slot * SlotBytes, count);
                _device.Queue.Wait(_slots[slot].BusyUntil);
                new ReadOnlySpan<byte>(Staging.Mapped + (slot * SlotBytes), count).CopyTo(bytes.Slice(done, count));
                done += count;
            }
        }
    }

    /// <summary>Fills device bytes with a 32-bit pattern, after everything submitted so far.</summary>
    public void Fill(DeviceBuffer buffer, long offset, long byteLength, uint pattern)
    {
        lock (_gate)
        {
            _slots[TakeSlot()].Fill(buffer.Block, buffer.Offset + offset, byteLength, pattern);
        }
    }

    private MemoryBlock Staging => _staging ??= _device.Memory.CreateHostVisible(SlotBytes * SlotCount);

    private int TakeSlot()
    {
        int slot = _next;
        _next = (_next + 1) % SlotCount;
        _device.Queue.Wait(_slots[slot].BusyUntil);
        return slot;
    }

    public void Dispose()
    {
        foreach (TransferCommands? slot in _slots)
            slot?.Dispose();
        if (_staging is not null)
            _device.Memory.DestroyHandles(_staging);
    }
}
