using System.Runtime.CompilerServices;
using Silk.NET.Vulkan;
using Buffer = Silk.NET.Vulkan.Buffer;
using Semaphore = Silk.NET.Vulkan.Semaphore;

namespace Deit.Gpu.Vulkan;

/// <summary>
/// The device's functions that can fail, and those that give objects back. All calls of them pass through here, so that
/// tests can let any call fail before it is made, and count the objects that were never given back.
/// </summary>
internal sealed unsafe class VulkanCalls(Vk vk)
{
    private static long _objects;
    private readonly Lock _losing = new();
    private Device _device;
    private bool _lost;

    /// <summary>
    /// The VkResult that a function answers instead of being called, for tests; 0 to call it. A device that once
    /// answered that it is lost goes on to answer so, as with drivers.
    /// </summary>
    public static Func<string, int>? Fault { get; set; }

    /// <summary>Objects made and not given back, of all devices of the process.</summary>
    public static long LiveObjects => Interlocked.Read(ref _objects);

    public Result CreateDevice(PhysicalDevice physical, in DeviceCreateInfo create, out Device device)
    {
        device = default;
        Result result = Before();
        if (result == Result.Success)
            result = Made(vk.CreateDevice(physical, in create, null, out device));
        _device = device;
        return result;
    }

    public Result CreatePipelineCache(in PipelineCacheCreateInfo create, out Silk.NET.Vulkan.PipelineCache cache)
    {
        cache = default;
        Result fault = Before();
        return fault != Result.Success ? fault : Made(vk.CreatePipelineCache(_device, in create, null, out cache));
    }

    public Result CreateComputePipeline(
        Silk.NET.Vulkan.PipelineCache cache,
        in ComputePipelineCreateInfo create,
        out Pipeline pipeline
    )
    {
        pipeline = default;
        Result fault = Before();
        return fault != Result.Success
            ? fault
            : Made(vk.CreateComputePipelines(_device, cache, 1, in create, null, out pipeline));
    }

    public Result CreateShaderModule(in ShaderModuleCreateInfo create, out ShaderModule module)
    {
        module = default;
        Result fault = Before();
        return fault != Result.Success ? fault : Made(vk.CreateShaderModule(_device, in create, null, out module));
    }

    public Result CreatePipelineLayout(in PipelineLayoutCreateInfo create, out PipelineLayout layout)
    {
        layout = default;
        Result fault = Before();
        return fault != Result.Success ? fault : Made(vk.CreatePipelineLayout(_device, in create, null, out layout));
    }

    public Result CreateDescriptorSetLayout(in DescriptorSetLayoutCreateInfo create, out DescriptorSetLayout layout)
    {
        layout = default;
        Result fault = Before();
        return fault != Result.Success
            ? fault
            : Made(vk.CreateDescriptorSetLayout(_device, in create, null, out layout));
    }

    public Result CreateBuffer(in BufferCreateInfo create, out Buffer buffer)
    {
        buffer = default;
        Result fault = Before();
        return fault != Result.Success ? fault : Made(vk.CreateBuffer(_device, in create, null, out buffer));
    }

    public Result AllocateMemory(in MemoryAllocateInfo allocate, out DeviceMemory memory)
    {
        memory = default;
        Result fault = Before();
        return fault != Result.Success ? fault : Made(vk.AllocateMemory(_device, in allocate, null, out memory));
    }

    public Result CreateCommandPool(in CommandPoolCreateInfo create, out CommandPool pool)
    {
        pool = default;
        Result fault = Before();
        return fault != Result.Success ? fault : Made(vk.CreateCommandPool(_device, in create, null, out pool));
    }

    public Result CreateSemaphore(in SemaphoreCreateInfo create, out Semaphore semaphore)
    {
        semaphore = default;
        Result fault = Before();
        return fault != Result.Success ? fault : Made(vk.CreateSemaphore(_device, in create, null, out semaphore));
    }

    public Result CreateQueryPool(in QueryPoolCreateInfo create, out QueryPool pool)
    {
        pool = default;
        Result fault = Before();
        return fault != Result.Success ? fault : Made(vk.CreateQueryPool(_device, in create, null, out pool));
    }

    /// <summary>Command buffers are given back with their pool.</summary>
    public Result AllocateCommandBuffer(in CommandBufferAllocateInfo allocate, out CommandBuffer commands)
    {
        commands = default;
        Result fault = Before();
        return fault != Result.Success ? fault : vk.AllocateCommandBuffers(_device, in allocate, out commands);
    }

    public Result CreateDescriptorPool(in DescriptorPoolCreateInfo create, out DescriptorPool pool)
    {
        pool = default;
        Result fault = Before();
        return fault != Result.Success ? fault : Made(vk.CreateDescriptorPool(_device, in create, null, out pool));
    }

    /// <summary>Descriptor sets are given back with their pool.</summary>
    public Result AllocateDescriptorSet(in DescriptorSetAllocateInfo allocate, out DescriptorSet set)
    {
        set = default;
        Result fault = Before();
        return fault != Result.Success ? fault : vk.AllocateDescriptorSets(_device, in allocate, out set);
    }

    public Result BindBufferMemory(Buffer buffer, DeviceMemory memory) =>
        Before() is var fault and not Result.Success ? fault : vk.BindBufferMemory(_device, buffer, memory, 0);

    /// <summary>The address of a buffer in the device's memory. This cannot fail.</summary>
    public ulong AddressOf(Buffer buffer)
    {
        BufferDeviceAddressInfo info = new() { SType = StructureType.BufferDeviceAddressInfo, Buffer = buffer };
        return vk.GetBufferDeviceAddress(_device, in info);
    }

    public Result MapMemory(DeviceMemory memory, void** mapped) =>
        Before() is var fault and not Result.Success
            ? fault
            : vk.MapMemory(_device, memory, 0, Vk.WholeSize, 0, mapped);

    public Result BeginCommandBuffer(CommandBuffer commands, in CommandBufferBeginInfo begin) =>
        Before() is var fault and not Result.Success ? fault : vk.BeginCommandBuffer(commands, in begin);

    public Result EndCommandBuffer(CommandBuffer commands) =>
        Before() is var fault and not Result.Success ? fault : vk.EndCommandBuffer(commands);

    public Result QueueSubmit2(Queue queue, uint count, SubmitInfo2* submits) =>
        Before() is var fault and not Result.Success ? fault : vk.QueueSubmit2(queue, count, submits, default);

    public Result WaitSemaphores(in SemaphoreWaitInfo wait) =>
        Before() is var fault and not Result.Success ? fault : vk.WaitSemaphores(_device, in wait, ulong.MaxValue);

    public Result GetSemaphoreCounterValue(Semaphore semaphore, ulong* value) =>
        Before() is var fault and not Result.Success ? fault : vk.GetSemaphoreCounterValue(_device, semaphore, value);

    public Result DeviceWaitIdle() => Before() is var fault and not Result.Success ? fault : vk.DeviceWaitIdle(_device);

    public Result GetPipelineCacheData(Silk.NET.Vulkan.PipelineCache cache, ref nuint size, void* data) =>
        Before() is var fault and not Result.Success ? fault : vk.GetPipelineCacheData(_device, cache, ref size, data);

    public Result GetQueryPoolResults(QueryPool pool, uint count, nuint bytes, void* data, QueryResultFlags flags) =>
        Before() is var fault and not Result.Success
            ? fault
            : vk.GetQueryPoolResults(_device, pool, 0, count, bytes, data, sizeof(ulong), flags);

    public void Destroy(Silk.NET.Vulkan.PipelineCache cache)
    {
        if (GivenBack(cache.Handle))
            vk.DestroyPipelineCache(_device, cache, null);
    }

    public void Destroy(Pipeline pipeline)
    {
        if (GivenBack(pipeline.Handle))
            vk.DestroyPipeline(_device, pipeline, null);
    }

    public void Destroy(ShaderModule module)
    {
        if (GivenBack(module.Handle))
            vk.DestroyShaderModule(_device, module, null);
    }

    public void Destroy(PipelineLayout layout)
    {
        if (GivenBack(layout.Handle))
            vk.DestroyPipelineLayout(_device, layout, null);
    }

    public void Destroy(DescriptorSetLayout layout)
    {
        if (GivenBack(layout.Handle))
            vk.DestroyDescriptorSetLayout(_device, layout, null);
    }

    public void Destroy(Buffer buffer)
    {
        if (GivenBack(buffer.Handle))
            vk.DestroyBuffer(_device, buffer, null);
    }

    public void Free(DeviceMemory memory)
    {
        if (GivenBack(memory.Handle))
            vk.FreeMemory(_device, memory, null);
    }

    public void Destroy(CommandPool pool)
    {
        if (GivenBack(pool.Handle))
            vk.DestroyCommandPool(_device, pool, null);
    }

    public void Destroy(DescriptorPool pool)
    {
        if (GivenBack(pool.Handle))
            vk.DestroyDescriptorPool(_device, pool, null);
    }

    public void Destroy(Semaphore semaphore)
    {
        if (GivenBack(semaphore.Handle))
            vk.DestroySemaphore(_device, semaphore, null);
    }

    public void Destroy(QueryPool pool)
    {
        if (GivenBack(pool.Handle))
            vk.DestroyQueryPool(_device, pool, null);
    }

    public void DestroyDevice()
    {
        if (GivenBack((ulong)_device.Handle))
            vk.DestroyDevice(_device, null);
    }

    private Result Before([CallerMemberName] string function = "")
    {
        if (Fault is not { } fault)
            return Result.Success;
        if (
            _lost
            && function
                is nameof(QueueSubmit2)
                    or nameof(WaitSemaphores)
                    or nameof(GetSemaphoreCounterValue)
                    or nameof(DeviceWaitIdle)
        )
            return Result.ErrorDeviceLost;
        Result result = (Result)fault(function);
        if (result == Result.ErrorDeviceLost && _device.Handle != 0)
        {
            // A lost device runs nothing any more. The device of a test is not really lost, and must come to rest
            // before its memory is given back. Pipelines are made on several threads, and a wait must have its queues
            // to itself.
            lock (_losing)
                if (!_lost)
                {
                    _ = vk.DeviceWaitIdle(_device);
                    _lost = true;
                }
        }
        return result;
    }

    private static Result Made(Result result)
    {
        if (result == Result.Success)
            Interlocked.Increment(ref _objects);
        return result;
    }

    // An object that was never made, because a construction failed half way, has the handle 0.
    private static bool GivenBack(ulong handle)
    {
        if (handle != 0)
            Interlocked.Decrement(ref _objects);
        return handle != 0;
    }
}
