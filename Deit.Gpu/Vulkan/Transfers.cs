using Silk.NET.Vulkan;

namespace Deit.Gpu.Vulkan;

/// <summary>
/// Moves bytes between host and device in queue order. Where the host sees the tensors' memory and the device is idle it is a plain
/// copy; otherwise the bytes pass through a ring of staging memory, so that a write never waits for the step that still runs.
/// </summary>
internal sealed unsafe class Transfers : IDisposable
{
    private const long SlotBytes = 2L << 20;
    private const int SlotCount = 4;
    private readonly VulkanDevice _device;
    private readonly CommandPool _pool;
    private readonly CommandBuffer[] _commands = new CommandBuffer[SlotCount];
    private readonly ulong[] _busyUntil = new ulong[SlotCount];
    private readonly Lock _gate = new();
    private MemoryBlock? _staging;
    private int _next;

    public Transfers(VulkanDevice device)
    {
        _device = device;
        CommandPoolCreateInfo create = new() { SType = StructureType.CommandPoolCreateInfo, Flags = CommandPoolCreateFlags.ResetCommandBufferBit, QueueFamilyIndex = device.QueueFamily };
        VulkanError.Check(device.Vk.CreateCommandPool(device.Handle, in create, null, out _pool), "creating the transfer command pool");
        CommandBufferAllocateInfo allocate = new() { SType = StructureType.CommandBufferAllocateInfo, CommandPool = _pool, Level = CommandBufferLevel.Primary, CommandBufferCount = SlotCount };
        fixed (CommandBuffer* pointer = _commands)
            VulkanError.Check(device.Vk.AllocateCommandBuffers(device.Handle, in allocate, pointer), "allocating the transfer command buffers");
    }

    /// <summary>Copies host bytes to the device, after everything submitted so far.</summary>
    public void Write(DeviceBuffer buffer, long offset, ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (buffer.Block.Mapped != null && _device.Queue.Idle)
            {
                bytes.CopyTo(new Span<byte>(buffer.Block.Mapped + buffer.Offset + offset, bytes.Length));
                return;
            }
            for (int done = 0; done < bytes.Length;)
            {
                int count = (int)Math.Min(SlotBytes, bytes.Length - done);
                int slot = TakeSlot();
                bytes.Slice(done, count).CopyTo(new Span<byte>(Staging.Mapped + (slot * SlotBytes), count));
                Copy(slot, Staging, slot * SlotBytes, buffer.Block, buffer.Offset + offset + done, count);
                done += count;
            }
        }
    }

    /// <summary>Copies device bytes to the host, after everything submitted so far has finished.</summary>
    public void Read(DeviceBuffer buffer, long offset, Span<byte> bytes)
    {
        lock (_gate)
        {
            if (buffer.Block.Mapped != null && _device.Memory.HostCached)
            {
                _device.Queue.WaitIdle();
                new ReadOnlySpan<byte>(buffer.Block.Mapped + buffer.Offset + offset, bytes.Length).CopyTo(bytes);
                return;
            }
            for (int done = 0; done < bytes.Length;)
            {
                int count = (int)Math.Min(SlotBytes, bytes.Length - done);
                int slot = TakeSlot();
                Copy(slot, buffer.Block, buffer.Offset + offset + done, Staging, slot * SlotBytes, count);
                _device.Queue.Wait(_busyUntil[slot]);
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
            int slot = TakeSlot();
            Submit(slot, commands => _device.Vk.CmdFillBuffer(commands, buffer.Block.Buffer, (ulong)(buffer.Offset + offset), (ulong)byteLength, pattern));
        }
    }

    private MemoryBlock Staging => _staging ??= CreateStaging();

    private int TakeSlot()
    {
        int slot = _next;
        _next = (_next + 1) % SlotCount;
        _device.Queue.Wait(_busyUntil[slot]);
        return slot;
    }

    private void Copy(int slot, MemoryBlock from, long fromOffset, MemoryBlock to, long toOffset, long count)
    {
        BufferCopy region = new((ulong)fromOffset, (ulong)toOffset, (ulong)count);
        Submit(slot, commands => _device.Vk.CmdCopyBuffer(commands, from.Buffer, to.Buffer, 1, in region));
    }

    private void Submit(int slot, Action<CommandBuffer> record)
    {
        CommandBuffer commands = _commands[slot];
        CommandBufferBeginInfo begin = new() { SType = StructureType.CommandBufferBeginInfo, Flags = CommandBufferUsageFlags.OneTimeSubmitBit };
        VulkanError.Check(_device.Vk.BeginCommandBuffer(commands, in begin), "recording a transfer");
        _device.FullBarrier(commands);
        record(commands);
        _device.FullBarrier(commands, to: PipelineStageFlags2.AllCommandsBit | PipelineStageFlags2.HostBit, toAccess: AccessFlags2.MemoryReadBit | AccessFlags2.MemoryWriteBit | AccessFlags2.HostReadBit);
        VulkanError.Check(_device.Vk.EndCommandBuffer(commands), "recording a transfer");
        _busyUntil[slot] = _device.Queue.Submit([commands]);
    }

    private MemoryBlock CreateStaging()
    {
        PhysicalDeviceMemoryProperties memory;
        _device.Vk.GetPhysicalDeviceMemoryProperties(_device.Physical, &memory);
        const MemoryPropertyFlags Visible = MemoryPropertyFlags.HostVisibleBit | MemoryPropertyFlags.HostCoherentBit;
        // Cached memory first: reads from write-combined memory are a hundred times slower.
        foreach (MemoryPropertyFlags wanted in (ReadOnlySpan<MemoryPropertyFlags>)[Visible | MemoryPropertyFlags.HostCachedBit, Visible])
            for (uint type = 0; type < memory.MemoryTypeCount; type++)
                if ((memory.MemoryTypes[(int)type].PropertyFlags & wanted) == wanted && _device.Memory.TryCreate(SlotBytes * SlotCount, type, map: true, out _) is { } block)
                    return block;
        throw new GpuException(GpuErrorKind.OutOfMemory, $"No host-visible memory for {SlotBytes * SlotCount >> 20} MiB of staging on {_device.Info.Name}; close other programs that use the device.");
    }

    public void Dispose()
    {
        if (_staging is not null)
            _device.Memory.DestroyHandles(_staging);
        _device.Vk.DestroyCommandPool(_device.Handle, _pool, null);
    }
}
