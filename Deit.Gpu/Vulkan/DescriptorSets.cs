using Silk.NET.Vulkan;

namespace Deit.Gpu.Vulkan;

/// <summary>A descriptor set for each launch of a graph, for drivers that cannot write bindings into command buffers.</summary>
internal sealed unsafe class DescriptorSets : IDisposable
{
    private readonly VulkanDevice _device;
    private readonly DescriptorPool _pool;
    private readonly DescriptorSet[] _sets;

    /// <param name="device">The device.</param>
    /// <param name="launches">At least one.</param>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    public DescriptorSets(VulkanDevice device, IReadOnlyList<Launch> launches)
    {
        (_device, _sets) = (device, new DescriptorSet[launches.Count]);
        DescriptorPoolSize size = new(
            DescriptorType.StorageBuffer,
            (uint)Math.Max(1, launches.Sum(launch => launch.Ranges.Length))
        );
        DescriptorPoolCreateInfo create = new()
        {
            SType = StructureType.DescriptorPoolCreateInfo,
            MaxSets = (uint)launches.Count,
            PoolSizeCount = 1,
            PPoolSizes = &size,
        };
        VulkanError.Check(device.Calls.CreateDescriptorPool(in create, out _pool), "creating a descriptor pool");
        try
        {
            for (int i = 0; i < launches.Count; i++)
            {
                DescriptorSetLayout layout = device.Pipelines.SetLayout(launches[i].Ranges.Length);
                DescriptorSetAllocateInfo allocate = new()
                {
                    SType = StructureType.DescriptorSetAllocateInfo,
                    DescriptorPool = _pool,
                    DescriptorSetCount = 1,
                    PSetLayouts = &layout,
                };
                VulkanError.Check(
                    device.Calls.AllocateDescriptorSet(in allocate, out _sets[i]),
                    "allocating a descriptor set"
                );
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Writes the bindings of a launch, before it is first bound.</summary>
    public void Write(int launch, uint count, WriteDescriptorSet* writes)
    {
        for (uint i = 0; i < count; i++)
            writes[i].DstSet = _sets[launch];
        _device.Vk.UpdateDescriptorSets(_device.Handle, count, writes, 0, null);
    }

    /// <summary>Binds the set of a launch.</summary>
    public void Bind(CommandBuffer commands, PipelineLayout layout, int launch) =>
        _device.Vk.CmdBindDescriptorSets(commands, PipelineBindPoint.Compute, layout, 0, 1, in _sets[launch], 0, null);

    public void Dispose() => _device.Calls.Destroy(_pool);
}
