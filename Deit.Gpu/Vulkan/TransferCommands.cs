using Silk.NET.Vulkan;

namespace Deit.Gpu.Vulkan;

/// <summary>One command buffer that is recorded anew for each transfer, once the last one has finished.</summary>
internal sealed unsafe class TransferCommands : IDisposable
{
    private readonly VulkanDevice _device;
    private readonly CommandPool _pool;
    private readonly CommandBuffer _commands;

    public TransferCommands(VulkanDevice device)
    {
        _device = device;
        if (!device.Runs)
            return;
        CommandPoolCreateInfo create = new()
        {
            SType = StructureType.CommandPoolCreateInfo,
            Flags = CommandPoolCreateFlags.ResetCommandBufferBit,
            QueueFamilyIndex = device.QueueFamily,
        };
        VulkanError.Check(device.Calls.CreateCommandPool(in create, out _pool), "creating a transfer command pool");
        CommandBufferAllocateInfo allocate = new()
        {
            SType = StructureType.CommandBufferAllocateInfo,
            CommandPool = _pool,
            Level = CommandBufferLevel.Primary,
            CommandBufferCount = 1,
        };
        try
        {
            VulkanError.Check(
                device.Calls.AllocateCommandBuffer(in allocate, out _commands),
                "allocating a transfer command buffer"
            );
        }
        catch
        {
            device.Calls.Destroy(_pool);
            throw;
        }
    }

    /// <summary>The timeline value at which the last transfer has finished.</summary>
    public ulong BusyUntil { get; private set; }

    /// <summary>Waits for the last transfer, then queues a copy.</summary>
    public ulong Copy(MemoryBlock from, long fromOffset, MemoryBlock to, long toOffset, long count)
    {
        if (!_device.Runs)
            return BusyUntil;
        Begin();
        BufferCopy region = new((ulong)fromOffset, (ulong)toOffset, (ulong)count);
        _device.Vk.CmdCopyBuffer(_commands, from.Buffer, to.Buffer, 1, in region);
        return End();
    }

    /// <summary>Waits for the last transfer, then queues a fill with a 32-bit pattern.</summary>
    public ulong Fill(MemoryBlock block, long offset, long count, uint pattern)
    {
        if (!_device.Runs)
            return BusyUntil;
        Begin();
        _device.Vk.CmdFillBuffer(_commands, block.Buffer, (ulong)offset, (ulong)count, pattern);
        return End();
    }

    private void Begin()
    {
        _device.Queue.Wait(BusyUntil);
        CommandBufferBeginInfo begin = new()
        {
            SType = StructureType.CommandBufferBeginInfo,
            Flags = CommandBufferUsageFlags.OneTimeSubmitBit,
        };
        VulkanError.Check(_device.Calls.BeginCommandBuffer(_commands, in begin), "recording a transfer");
        _device.FullBarrier(_commands);
    }

    private ulong End()
    {
        _device.FullBarrier(
            _commands,
            to: PipelineStageFlags2.AllCommandsBit | PipelineStageFlags2.HostBit,
            toAccess: AccessFlags2.MemoryReadBit | AccessFlags2.MemoryWriteBit | AccessFlags2.HostReadBit
        );
        VulkanError.Check(_device.Calls.EndCommandBuffer(_commands), "recording a transfer");
        return BusyUntil = _device.Queue.Submit([_commands]);
    }

    public void Dispose()
    {
        if (!_device.Runs)
            return;
        _device.Queue.WaitIdleQuietly();
        _device.Calls.Destroy(_pool);
    }
}
