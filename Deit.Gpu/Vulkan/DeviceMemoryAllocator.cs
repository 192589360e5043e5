using System.Runtime.InteropServices;
using Silk.NET.Vulkan;
using Buffer = Silk.NET.Vulkan.Buffer;

namespace Deit.Gpu.Vulkan;

/// <summary>A range of a memory block, bound to that block's one buffer. Disposing gives it back.</summary>
internal sealed class DeviceBuffer(MemoryBlock block, long offset, long byteLength) : IDisposable
{
    public MemoryBlock Block { get; } = block;
    public long Offset { get; } = offset;
    public long ByteLength { get; } = byteLength;

    /// <summary>The address of its first byte in the device's memory, for kernels that get addresses.</summary>
    public ulong Address => Block.Address + (ulong)Offset;

    public bool Disposed { get; private set; }

    // Replaced as a whole, since one thread may ask while another notes.
    private volatile (long Start, long End)[] _rearranged = [];

    /// <summary>How many ranges were rearranged so far.</summary>
    public int RearrangedRanges => _rearranged.Length;

    /// <summary>Notes that a range holds its elements in an order that a kernel chose.</summary>
    public void Rearrange(long start, long end)
    {
        if (!_rearranged.Contains((start, end)))
            _rearranged = [.. _rearranged, (start, end)];
    }

    /// <summary>Whether some of a range was rearranged.</summary>
    public bool IsRearranged(long start, long end) =>
        Array.Exists(_rearranged, range => range.Start < end && start < range.End);

    public void Dispose()
    {
        if (Disposed)
            return;
        Disposed = true;
        Block.Owner.Free(this);
    }
}

/// <summary>One allocation of device memory with one buffer over all of it, mapped where the host sees it.</summary>
internal sealed unsafe class MemoryBlock(
    DeviceMemoryAllocator owner,
    DeviceMemory memory,
    Buffer buffer,
    ulong address,
    long byteLength,
    byte* mapped
)
{
    /// <summary>
    /// Bytes of the buffer behind the last range where the device has addresses. Nothing checks what a kernel reads by an address, and such
    /// kernels may read so far past the end of a tensor.
    /// </summary>
    public const int Slack = 4096;

    public DeviceMemoryAllocator Owner { get; } = owner;
    public DeviceMemory Memory { get; } = memory;
    public Buffer Buffer { get; } = buffer;

    /// <summary>The buffer's address in the device's memory; 0 where the device has none.</summary>
    public ulong Address { get; } = address;
    public long ByteLength { get; } = byteLength;

    /// <summary>The host's view of the block; null when the host does not see it.</summary>
    public byte* Mapped { get; } = mapped;

    /// <summary>Free ranges in order of their offset.</summary>
    public List<(long Offset, long Length)> Free { get; } = [(0, byteLength)];
}

/// <summary>Takes memory from the device in blocks and hands out ranges of them, first fit.</summary>
internal sealed unsafe class DeviceMemoryAllocator : IDisposable
{
    private const long SmallBlock = 4L << 20;
    private readonly VulkanDevice _device;
    private readonly MemoryChoice _choice;
    private readonly uint[] _stagingTypes;
    private readonly List<MemoryBlock> _blocks = [];
    private readonly Lock _gate = new();

    public DeviceMemoryAllocator(VulkanDevice device)
    {
        _device = device;
        PhysicalDeviceMemoryProperties memory;
        device.Vk.GetPhysicalDeviceMemoryProperties(device.Physical, &memory);
        uint allowed = AllowedTypes();
        _choice = MemoryChoice.For(memory, device.Info.Type, allowed);
        _stagingTypes = [.. MemoryChoice.ForStaging(memory, allowed)];
    }

    /// <summary>True when the host reads tensors at full speed without a copy.</summary>
    public bool HostCached => _choice.HostCached;

    public long AllocatedBytes { get; private set; }

    public long PeakBytes { get; private set; }

    public void ResetPeak() => PeakBytes = AllocatedBytes;

    /// <summary>A range of at least <paramref name="byteLength"/> bytes.</summary>
    /// <exception cref="GpuException">The device has no memory left for it.</exception>
    public DeviceBuffer Allocate(long byteLength, string purpose)
    {
        long bytes = MemoryAlignment.Align(Math.Max(byteLength, 1));
        lock (_gate)
        {
            foreach (MemoryBlock block in _blocks)
                for (int i = 0; i < block.Free.Count; i++)
                    if (block.Free[i].Length >= bytes)
                    {
                        (long offset, long length) = block.Free[i];
                        if (length == bytes)
                            block.Free.RemoveAt(i);
                        else
                            block.Free[i] = (offset + bytes, length - bytes);
                        return new DeviceBuffer(block, offset, bytes);
                    }
            MemoryBlock fresh = CreateBlock(Math.Max(bytes, bytes >= SmallBlock ? bytes : SmallBlock), bytes, purpose);
            _blocks.Add(fresh);
            fresh.Free[0] = (bytes, fresh.ByteLength - bytes);
            if (fresh.ByteLength == bytes)
                fresh.Free.Clear();
            return new DeviceBuffer(fresh, 0, bytes);
        }
    }

    public void Free(DeviceBuffer range)
    {
        lock (_gate)
        {
            MemoryBlock block = range.Block;
            if (!_blocks.Contains(block))
                return;
            int at = block.Free.FindIndex(free => free.Offset > range.Offset);
            if (at < 0)
                at = block.Free.Count;
            block.Free.Insert(at, (range.Offset, range.ByteLength));
            if (at + 1 < block.Free.Count && block.Free[at].Offset + block.Free[at].Length == block.Free[at + 1].Offset)
            {
                block.Free[at] = (block.Free[at].Offset, block.Free[at].Length + block.Free[at + 1].Length);
                block.Free.RemoveAt(at + 1);
            }
            if (at > 0 && block.Free[at - 1].Offset + block.Free[at - 1].Length == block.Free[at].Offset)
            {
                block.Free[at - 1] = (block.Free[at - 1].Offset, block.Free[at - 1].Length + block.Free[at].Length);
                block.Free.RemoveAt(at);
            }
            if (block.Free is [(0, long whole)] && whole == block.ByteLength)
            {
                _blocks.Remove(block);
                Destroy(block);
            }
        }
    }

    /// <summary>Bytes that can still be allocated, as far as the driver says.</summary>
    public long FreeBytes()
    {
        long total = _device.Info.MemoryBytes;
        if (!_device.Runs)
            return long.MaxValue;
        if (_device.Info.Type == GpuType.Cpu)
        {
            GCMemoryInfo machine = GC.GetGCMemoryInfo();
            return Math.Max(0, machine.TotalAvailableMemoryBytes - Environment.WorkingSet);
        }
        if (!_device.Features.MemoryBudget)
            return total - AllocatedBytes;
        PhysicalDeviceMemoryBudgetPropertiesEXT budget = new()
        {
            SType = StructureType.PhysicalDeviceMemoryBudgetPropertiesExt,
        };
        PhysicalDeviceMemoryProperties2 properties = new()
        {
            SType = StructureType.PhysicalDeviceMemoryProperties2,
            PNext = &budget,
        };
        _device.Vk.GetPhysicalDeviceMemoryProperties2(_device.Physical, &properties);
        return Math.Max(0, (long)budget.HeapBudget[_choice.Heap] - (long)budget.HeapUsage[_choice.Heap]);
    }

    private MemoryBlock CreateBlock(long byteLength, long asked, string purpose)
    {
        // A CPU driver promises any amount, and the machine then kills the process: the free memory is asked for
        // before, not after.
        long free = FreeBytes();
        if (asked > free || (_device.Runs && asked > _device.Info.MaxAllocationBytes))
            throw OutOfMemory(asked, free, purpose, 0);
        byteLength = Math.Max(asked, Math.Min(byteLength, _device.Info.MaxAllocationBytes));
        MemoryBlock? block = TryCreate(
            byteLength,
            _choice.Type,
            _choice.HostVisible && _device.Runs,
            out Result result
        );
        if (block is null)
            throw result == Result.ErrorDeviceLost
                ? VulkanError.Of(result, $"allocating memory for {purpose}")
                : OutOfMemory(asked, free, purpose, (int)result);
        AllocatedBytes += byteLength;
        PeakBytes = Math.Max(PeakBytes, AllocatedBytes);
        return block;
    }

    private GpuException OutOfMemory(long asked, long free, string purpose, int result) =>
        new(
            GpuErrorKind.OutOfMemory,
            $"Not enough memory on {_device.Info.Name} for {purpose}: {asked >> 20} MiB asked, {free >> 20} MiB "
                + $"free (at most {_device.Info.MaxAllocationBytes >> 20} MiB at once), {AllocatedBytes >> 20} MiB "
                + "held; lower --batch-size or choose a smaller model.",
            result
        );

    /// <summary>A block of memory of a given type with its buffer; null when the device has not enough.</summary>
    public MemoryBlock? TryCreate(long byteLength, uint memoryType, bool map, out Result result)
    {
        result = Result.Success;
        if (!_device.Runs)
        {
            byte* pretended = map ? (byte*)NativeMemory.Alloc((nuint)byteLength) : null; // for the host to fill
            return new MemoryBlock(this, default, default, address: 0, byteLength, pretended);
        }
        VulkanCalls calls = _device.Calls;
        BufferCreateInfo create = BufferOf(byteLength);
        result = calls.CreateBuffer(in create, out Buffer buffer);
        if (result != Result.Success)
            return null;
        _device.Vk.GetBufferMemoryRequirements(_device.Handle, buffer, out MemoryRequirements requirements);
        MemoryAllocateFlagsInfo flags = new()
        {
            SType = StructureType.MemoryAllocateFlagsInfo,
            Flags = MemoryAllocateFlags.DeviceAddressBit,
        };
        MemoryAllocateInfo allocate = new()
        {
            SType = StructureType.MemoryAllocateInfo,
            PNext = HasAddresses ? &flags : null,
            AllocationSize = requirements.Size,
            MemoryTypeIndex = memoryType,
        };
        result = calls.AllocateMemory(in allocate, out DeviceMemory memory);
        if (result != Result.Success)
        {
            calls.Destroy(buffer);
            return null;
        }
        void* mapped = null;
        result = calls.BindBufferMemory(buffer, memory);
        if (result == Result.Success && map)
            result = calls.MapMemory(memory, &mapped);
        ulong address = result == Result.Success && HasAddresses ? calls.AddressOf(buffer) : 0;
        MemoryBlock block = new(this, memory, buffer, address, byteLength, (byte*)mapped);
        if (result == Result.Success)
            return block;
        DestroyHandles(block);
        return null;
    }

    private bool HasAddresses => _device.Info.BufferAddresses;

    private BufferCreateInfo BufferOf(long byteLength) =>
        new()
        {
            SType = StructureType.BufferCreateInfo,
            Size = (ulong)(HasAddresses ? byteLength + MemoryBlock.Slack : byteLength),
            Usage =
                BufferUsageFlags.StorageBufferBit
                | BufferUsageFlags.TransferSrcBit
                | BufferUsageFlags.TransferDstBit
                | (HasAddresses ? BufferUsageFlags.ShaderDeviceAddressBit : 0),
            SharingMode = SharingMode.Exclusive,
        };

    // The memory types of buffers are the same for all sizes. Drivers list types that only images may use.
    private uint AllowedTypes()
    {
        BufferCreateInfo create = BufferOf(SmallBlock);
        DeviceBufferMemoryRequirements query = new()
        {
            SType = StructureType.DeviceBufferMemoryRequirements,
            PCreateInfo = &create,
        };
        MemoryRequirements2 requirements = new() { SType = StructureType.MemoryRequirements2 };
        _device.Vk.GetDeviceBufferMemoryRequirements(_device.Handle, &query, &requirements);
        return requirements.MemoryRequirements.MemoryTypeBits;
    }

    /// <summary>A mapped block of host memory.</summary>
    public MemoryBlock CreateHostVisible(long byteLength)
    {
        Result result = Result.Success;
        // A driver for a card that is not there has no memory at all.
        foreach (uint type in _device.Runs ? _stagingTypes : [0])
            if (TryCreate(byteLength, type, map: true, out result) is { } block)
                return block;
        throw result == Result.ErrorDeviceLost
            ? VulkanError.Of(result, "allocating memory for staging")
            : new GpuException(
                GpuErrorKind.OutOfMemory,
                $"No host-visible memory for {byteLength >> 20} MiB of staging on {_device.Info.Name}; close "
                    + "other programs that use the device.",
                (int)result
            );
    }

    /// <summary>
    /// A mapped block that the host only fills and the device copies from. Where the host sees the device's own memory,
    /// the block is of that. Bytes then cross the bus while the block is filled and the device computes, and the copy
    /// is one within the device.
    /// </summary>
    public MemoryBlock CreateUpload(long byteLength) =>
        (_choice.HostVisible ? TryCreate(byteLength, _choice.Type, map: true, out _) : null)
        ?? CreateHostVisible(byteLength);

    private void Destroy(MemoryBlock block)
    {
        AllocatedBytes -= block.ByteLength;
        DestroyHandles(block);
    }

    public void DestroyHandles(MemoryBlock block)
    {
        if (!_device.Runs)
        {
            NativeMemory.Free(block.Mapped);
            return;
        }
        _device.Calls.Destroy(block.Buffer);
        _device.Calls.Free(block.Memory);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (MemoryBlock block in _blocks)
                Destroy(block);
            _blocks.Clear();
        }
    }
}
