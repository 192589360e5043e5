using System.Diagnostics;
using Silk.NET.Vulkan;

namespace Deit.Gpu.Vulkan;

/// <summary>A compute pipeline with its layout.</summary>
internal sealed record ComputePipeline(Pipeline Handle, PipelineLayout Layout);

/// <summary>Compiles each shader and specialization once per process, and keeps the driver's compiled code on disk.</summary>
internal sealed unsafe class PipelineCache : IDisposable
{
    private readonly VulkanDevice _device;
    private readonly string _file;
    private readonly Silk.NET.Vulkan.PipelineCache _cache;
    private readonly OnceByKey<string, ComputePipeline> _pipelines = new();
    private readonly OnceByKey<string, ShaderModule> _modules = new();
    private readonly OnceByKey<int, DescriptorSetLayout> _setLayouts = new();
    private readonly OnceByKey<(int Bindings, int Push), PipelineLayout> _layouts = new();
    private int _loadedBytes;

    public PipelineCache(VulkanDevice device, string folder)
    {
        _device = device;
        _file = Path.Combine(folder, "pipelines.bin");
        byte[] data = [];
        try
        {
            if (device.Runs && File.Exists(_file))
                data = File.ReadAllBytes(_file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A cache that cannot be read only costs time.
        }
        _loadedBytes = data.Length;
        fixed (byte* pointer = data)
        {
            PipelineCacheCreateInfo create = new()
            {
                SType = StructureType.PipelineCacheCreateInfo,
                InitialDataSize = (nuint)data.Length,
                PInitialData = pointer,
            };
            if (device.Calls.CreatePipelineCache(in create, out _cache) == Result.Success)
                return;
            // Drivers should ignore foreign data. Some refuse it, so the cache starts empty.
            create.InitialDataSize = 0;
            VulkanError.Check(device.Calls.CreatePipelineCache(in create, out _cache), "creating the pipeline cache");
        }
    }

    /// <summary>The pipelines of some kernels, compiled on all cores.</summary>
    public ComputePipeline[] Get(IReadOnlyList<PipelineDescription> kernels)
    {
        ComputePipeline[] result = new ComputePipeline[kernels.Count];
        try
        {
            Parallel.For(0, kernels.Count, i => result[i] = Get(kernels[i]));
        }
        catch (AggregateException e) when (e.InnerExceptions[0] is GpuException or InvalidOperationException)
        {
            throw e.InnerExceptions[0];
        }
        return result;
    }

    /// <summary>The layout of the bindings of a kernel that has so many.</summary>
    public DescriptorSetLayout SetLayout(int bindings) => _setLayouts.Get(bindings, CreateSetLayout);

    private ComputePipeline Get(PipelineDescription kernel)
    {
        kernel.Shader.Verify(kernel);
        string key = $"{kernel.Shader.Id}/{kernel.Subgroups}/{string.Join(',', kernel.Specialization)}";
        return _pipelines.Get(key, _ => Create(kernel, _cache));
    }

    /// <summary>Compiles a kernel once more, past the caches of this class, and asks the driver what came out.</summary>
    public CompiledKernel Inspect(PipelineDescription kernel)
    {
        kernel.Shader.Verify(kernel);
        long start = Stopwatch.GetTimestamp();
        ComputePipeline pipeline;
        try
        {
            pipeline = Create(kernel, default, Executables.Flags);
        }
        catch (GpuException error) when (error.Reason is not GpuErrorKind.DeviceLost)
        {
            return new CompiledKernel(kernel, Stopwatch.GetElapsedTime(start).TotalMilliseconds, error.Message, []);
        }
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        try
        {
            return new CompiledKernel(kernel, milliseconds, null, Executables.Of(pipeline.Handle));
        }
        finally
        {
            _device.Calls.Destroy(pipeline.Handle);
        }
    }

    private ExecutableProperties Executables => field ??= new ExecutableProperties(_device);

    private ComputePipeline Create(
        PipelineDescription kernel,
        Silk.NET.Vulkan.PipelineCache cache,
        PipelineCreateFlags flags = 0
    )
    {
        SpirvModule module = kernel.Shader;
        (bool fullSubgroups, int? size) = SubgroupsOf(kernel);
        uint[] specialization = kernel.Specialization;
        PipelineShaderStageRequiredSubgroupSizeCreateInfo required = new()
        {
            SType = StructureType.PipelineShaderStageRequiredSubgroupSizeCreateInfo,
            RequiredSubgroupSize = (uint)(size ?? 0),
        };
        PipelineLayout layout = _layouts.Get(
            (module.Bindings.Length, module.PushBytes),
            key => CreateLayout(key.Bindings, key.Push)
        );
        ShaderModule shader = _modules.Get(module.Id, _ => CreateModule(module));
        SpecializationMapEntry* entries = stackalloc SpecializationMapEntry[Math.Max(1, specialization.Length)];
        for (int i = 0; i < specialization.Length; i++)
            entries[i] = new SpecializationMapEntry((uint)i, (uint)(i * sizeof(uint)), sizeof(uint));
        fixed (byte* main = "main\0"u8)
        fixed (uint* values = specialization)
        {
            SpecializationInfo info = new(
                (uint)specialization.Length,
                entries,
                (nuint)(specialization.Length * sizeof(uint)),
                values
            );
            ComputePipelineCreateInfo create = new()
            {
                SType = StructureType.ComputePipelineCreateInfo,
                Flags = flags,
                Layout = layout,
                Stage = new PipelineShaderStageCreateInfo
                {
                    SType = StructureType.PipelineShaderStageCreateInfo,
                    PNext = size is null ? null : &required,
                    Flags = fullSubgroups ? PipelineShaderStageCreateFlags.RequireFullSubgroupsBit : 0,
                    Stage = ShaderStageFlags.ComputeBit,
                    Module = shader,
                    PName = main,
                    PSpecializationInfo = &info,
                },
            };
            VulkanError.Check(
                _device.Calls.CreateComputePipeline(cache, in create, out Pipeline pipeline),
                $"compiling kernel '{module.Name}'"
            );
            return new ComputePipeline(pipeline, layout);
        }
    }

    // Whether the driver is told to fill subgroups, and the size that it is asked for, if it is.
    private (bool Full, int? Size) SubgroupsOf(PipelineDescription kernel)
    {
        if (kernel.Subgroups == SubgroupDemand.None)
            return (false, null);
        int size = _device.Info.SubgroupSizeFor(kernel.Subgroups);
        SubgroupRange sizes = _device.Info.SubgroupSizes;
        return (_device.Features.FullSubgroups, !sizes.IsFixed && sizes.Contains(size) ? size : null);
    }

    private ShaderModule CreateModule(SpirvModule module)
    {
        fixed (byte* code = module.Code)
        {
            ShaderModuleCreateInfo create = new()
            {
                SType = StructureType.ShaderModuleCreateInfo,
                CodeSize = (nuint)module.Code.Length,
                PCode = (uint*)code,
            };
            VulkanError.Check(
                _device.Calls.CreateShaderModule(in create, out ShaderModule handle),
                $"loading shader '{module.Name}'"
            );
            return handle;
        }
    }

    private PipelineLayout CreateLayout(int bindings, int push)
    {
        DescriptorSetLayout set = SetLayout(bindings);
        PushConstantRange range = new(ShaderStageFlags.ComputeBit, 0, (uint)push);
        PipelineLayoutCreateInfo create = new()
        {
            SType = StructureType.PipelineLayoutCreateInfo,
            SetLayoutCount = 1,
            PSetLayouts = &set,
            PushConstantRangeCount = push > 0 ? 1u : 0u,
            PPushConstantRanges = &range,
        };
        VulkanError.Check(
            _device.Calls.CreatePipelineLayout(in create, out PipelineLayout layout),
            "creating a pipeline layout"
        );
        return layout;
    }

    private DescriptorSetLayout CreateSetLayout(int count)
    {
        DescriptorSetLayoutBinding* bindings = stackalloc DescriptorSetLayoutBinding[count];
        for (int i = 0; i < count; i++)
            bindings[i] = new DescriptorSetLayoutBinding(
                (uint)i,
                DescriptorType.StorageBuffer,
                1,
                ShaderStageFlags.ComputeBit
            );
        DescriptorSetLayoutCreateInfo create = new()
        {
            SType = StructureType.DescriptorSetLayoutCreateInfo,
            BindingCount = (uint)count,
            PBindings = bindings,
        };
        VulkanError.Check(
            _device.Calls.CreateDescriptorSetLayout(in create, out DescriptorSetLayout layout),
            "creating a descriptor set layout"
        );
        return layout;
    }

    /// <summary>
    /// Writes the driver's compiled code to disk when there is more of it than was loaded. A failure only costs time at
    /// the next start.
    /// </summary>
    public void Save()
    {
        nuint size = 0;
        if (
            !_device.Runs
            || _device.Calls.GetPipelineCacheData(_cache, ref size, null) != Result.Success
            || size == 0
            || (int)size == _loadedBytes
        )
            return;
        byte[] data = new byte[size];
        fixed (byte* pointer = data)
            if (_device.Calls.GetPipelineCacheData(_cache, ref size, pointer) != Result.Success)
                return;
        _loadedBytes = (int)size;
        CacheFolder.TryWrite(_file, data.AsSpan(0, (int)size));
    }

    public void Dispose()
    {
        Save();
        VulkanCalls calls = _device.Calls;
        foreach (ComputePipeline pipeline in _pipelines.Made)
            calls.Destroy(pipeline.Handle);
        foreach (PipelineLayout layout in _layouts.Made)
            calls.Destroy(layout);
        foreach (DescriptorSetLayout layout in _setLayouts.Made)
            calls.Destroy(layout);
        foreach (ShaderModule module in _modules.Made)
            calls.Destroy(module);
        calls.Destroy(_cache);
    }
}
