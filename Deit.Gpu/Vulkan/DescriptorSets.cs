using Silk.NET.Vulkan;

namespace Deit.Gpu.Vulkan;

/// <summary>
/// A descriptor set with the bindings of each launch of a graph. The sets are written once, bound where command buffers are recorded, and
/// read by every run.
/// </summary>
internal sealed unsafe class DescriptorSets : IDisposable
{
    private readonly VulkanDevice _device;
    private readonly DescriptorPool _pool;
    private readonly DescriptorSet[] _sets; // handle 0 for a launch without bindings

    /// <param name="device">The device.</param>
    /// <param name="launches">In order.</param>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    public DescriptorSets(VulkanDevice device, IReadOnlyList<Launch> launches)
    {
        (_device, _sets) = (device, new DescriptorSet[launches.Count]);
        int count = launches.Count(launch => launch.Ranges.Length > 0);
        if (count == 0)
            return;
        DescriptorPoolSize size = new(DescriptorType.StorageBuffer, (uint)launches.Sum(launch => launch.Ranges.Length));
        DescriptorPoolCreateInfo create = new()
        {
            SType = StructureType.DescriptorPoolCreateInfo,
            MaxSets = (uint)count,
            PoolSizeCount = 1,
            PPoolSizes = &size,
        };
        VulkanError.Check(device.Calls.CreateDescriptorPool(in create, out _pool), "creating a descriptor pool");
        try
        {
            for (int i = 0; i < launches.Count; i++)
                if (launches[i].Ranges is { Length: > 0 } ranges)
                    Write(_sets[i] = Allocate(ranges.Length), ranges);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Binds the set of a launch.</summary>
    public void Bind(CommandBuffer commands, PipelineLayout layout, int launch)
    {
        if (_sets[launch].Handle != 0)
            _device.Vk.CmdBindDescriptorSets(
                commands,
                PipelineBindPoint.Compute,
                layout,
                0,
                1,
                in _sets[launch],
                0,
                null
            );
    }

    public void Dispose()
    {
        if (_pool.Handle != 0)
            _device.Calls.Destroy(_pool);
    }

    private DescriptorSet Allocate(int bindings)
    {
        DescriptorSetLayout layout = _device.Pipelines.SetLayout(bindings);
        DescriptorSetAllocateInfo allocate = new()
        {
            SType = StructureType.DescriptorSetAllocateInfo,
            DescriptorPool = _pool,
            DescriptorSetCount = 1,
            PSetLayouts = &layout,
        };
        VulkanError.Check(
            _device.Calls.AllocateDescriptorSet(in allocate, out DescriptorSet set),
            "allocating a descriptor set"
        );
        return set;
    }

    private void Write(DescriptorSet set, BoundRange[] ranges)
    {
        DescriptorBufferInfo* buffers = stackalloc DescriptorBufferInfo[ranges.Length];
        WriteDescriptorSet* writes = stackalloc WriteDescriptorSet[ranges.Length];
        for (int i = 0; i < ranges.Length; i++)
        {
            BoundRange range = ranges[i];
            buffers[i] = new DescriptorBufferInfo(
                range.Buffer.Block.Buffer,
                (ulong)(range.Buffer.Offset + range.Offset),
                (ulong)(range.ByteLength + 3 & ~3L)
            );
            writes[i] = new WriteDescriptorSet
            {
                SType = StructureType.WriteDescriptorSet,
                DstSet = set,
                DstBinding = (uint)i,
                DescriptorCount = 1,
                DescriptorType = DescriptorType.StorageBuffer,
                PBufferInfo = &buffers[i],
            };
        }
        _device.Vk.UpdateDescriptorSets(_device.Handle, (uint)ranges.Length, writes, 0, null);
    }
}
