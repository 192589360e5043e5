using Silk.NET.Core.Native;
using Silk.NET.Vulkan;

namespace Deit.Gpu.Vulkan;

/// <summary>A logical device with its queue and everything made from it.</summary>
internal sealed unsafe class VulkanDevice : IDisposable
{
    private bool _disposed;

    /// <summary>Opens the device of these facts.</summary>
    /// <param name="info">Its facts.</param>
    /// <param name="cacheFolder">Where compiled code is kept.</param>
    /// <param name="use">What for.</param>
    /// <exception cref="GpuException">The device is gone, or cannot be opened.</exception>
    public static VulkanDevice Open(GpuInfo info, string cacheFolder, DeviceUse use = DeviceUse.Run)
    {
        VulkanInstance instance = VulkanInstance.Current;
        PhysicalDevice[] handles = PhysicalDevices.Handles(instance);
        if (info.Index >= handles.Length)
            throw new GpuException(
                GpuErrorKind.NoDevice,
                $"Device {info.Index} ({info.Name}) is gone: there are {handles.Length} now; choose another one."
            );
        return new VulkanDevice(instance, handles[info.Index], info, cacheFolder, use);
    }

    private VulkanDevice(
        VulkanInstance instance,
        PhysicalDevice physical,
        GpuInfo info,
        string cacheFolder,
        DeviceUse use
    )
    {
        // The loader's exports find the driver by the handle they are given: one set of function pointers serves all devices.
        Vk = instance.Vk;
        (Physical, Info, Use) = (physical, info, use);
        QueueFamily = FindQueueFamily(out uint timestampBits);
        TimestampBits = info.TimestampPeriod > 0 ? timestampBits : 0;
        Features = Features.Query(Vk, physical, PhysicalDevices.Extensions(Vk, physical), vulkan13: true);
        Calls = new VulkanCalls(Vk);
        Handle = CreateDevice();
        Vk.GetDeviceQueue(Handle, QueueFamily, 0, out Queue queue);
        try
        {
            Queue = new SubmissionQueue(this, queue);
            Memory = new DeviceMemoryAllocator(this);
            Pipelines = new PipelineCache(this, cacheFolder);
            Transfers = new Transfers(this);
        }
        catch
        {
            Pipelines?.Dispose();
            Queue?.Dispose();
            Calls.DestroyDevice();
            throw;
        }
    }

    /// <summary>The functions that cannot fail; the others are <see cref="Calls"/>.</summary>
    public Vk Vk { get; }

    public VulkanCalls Calls { get; }
    public PhysicalDevice Physical { get; }
    public Device Handle { get; }
    public GpuInfo Info { get; }
    public DeviceUse Use { get; }

    /// <summary>Whether it runs anything. Where not, memory, transfers and submissions are pretended.</summary>
    public bool Runs => Use != DeviceUse.Compile;
    public Features Features { get; }
    public uint QueueFamily { get; }

    /// <summary>How many bits of a timestamp count; 0 without timestamps.</summary>
    public uint TimestampBits { get; }
    public bool HasTimestamps => TimestampBits > 0;
    public SubmissionQueue Queue { get; }
    public DeviceMemoryAllocator Memory { get; }
    public PipelineCache Pipelines { get; }
    public Transfers Transfers { get; }

    /// <summary>A barrier that makes everything written before visible to everything after.</summary>
    public void FullBarrier(
        CommandBuffer commands,
        PipelineStageFlags2 from = PipelineStageFlags2.AllCommandsBit,
        PipelineStageFlags2 to = PipelineStageFlags2.AllCommandsBit,
        AccessFlags2 toAccess = AccessFlags2.MemoryReadBit | AccessFlags2.MemoryWriteBit
    )
    {
        MemoryBarrier2 barrier = new()
        {
            SType = StructureType.MemoryBarrier2,
            SrcStageMask = from,
            SrcAccessMask = AccessFlags2.MemoryWriteBit,
            DstStageMask = to,
            DstAccessMask = toAccess,
        };
        DependencyInfo dependency = new()
        {
            SType = StructureType.DependencyInfo,
            MemoryBarrierCount = 1,
            PMemoryBarriers = &barrier,
        };
        Vk.CmdPipelineBarrier2(commands, &dependency);
    }

    private uint FindQueueFamily(out uint timestampBits)
    {
        uint count = 0;
        Vk.GetPhysicalDeviceQueueFamilyProperties(Physical, ref count, null);
        QueueFamilyProperties[] families = new QueueFamilyProperties[count];
        fixed (QueueFamilyProperties* pointer = families)
            Vk.GetPhysicalDeviceQueueFamilyProperties(Physical, ref count, pointer);
        // A queue family without graphics does not compete with the desktop for its queue. Where there is none, any
        // family with compute will do.
        int best = -1;
        for (int i = 0; i < count; i++)
            if (
                (families[i].QueueFlags & QueueFlags.ComputeBit) != 0
                && (
                    best < 0
                    || (
                        (families[i].QueueFlags & QueueFlags.GraphicsBit) == 0
                        && (families[best].QueueFlags & QueueFlags.GraphicsBit) != 0
                    )
                )
            )
                best = i;
        if (best < 0)
            throw new GpuException(
                GpuErrorKind.NoDevice,
                $"{Info.Name} has no compute queue; choose another device with --device."
            );
        timestampBits = families[best].TimestampValidBits;
        return (uint)best;
    }

    private Device CreateDevice()
    {
        float priority = 1;
        DeviceQueueCreateInfo queue = new()
        {
            SType = StructureType.DeviceQueueCreateInfo,
            QueueFamilyIndex = QueueFamily,
            QueueCount = 1,
            PQueuePriorities = &priority,
        };
        PhysicalDeviceShaderBfloat16FeaturesKHR bfloat16 = BFloat16();
        PhysicalDeviceCooperativeMatrix2FeaturesNV matrix2 = WorkgroupMatrices();
        PhysicalDeviceCooperativeMatrixFeaturesKHR matrix = new()
        {
            SType = StructureType.PhysicalDeviceCooperativeMatrixFeaturesKhr,
            CooperativeMatrix = true,
        };
        PhysicalDevicePipelineExecutablePropertiesFeaturesKHR executables = new()
        {
            SType = StructureType.PhysicalDevicePipelineExecutablePropertiesFeaturesKhr,
            PipelineExecutableInfo = true,
        };
        PhysicalDeviceVulkan13Features features13 = Features13();
        PhysicalDeviceVulkan12Features features12 = Features12(&features13);
        PhysicalDeviceVulkan11Features features11 = Features11(&features12);
        PhysicalDeviceFeatures2 features = new()
        {
            SType = StructureType.PhysicalDeviceFeatures2,
            PNext = &features11,
            Features = new PhysicalDeviceFeatures { ShaderInt64 = Info.BufferAddresses },
        };
        void** tail = &features13.PNext;
        if (Features.CooperativeMatrix)
        {
            *tail = &matrix;
            tail = &matrix.PNext;
        }
        if (Features.WorkgroupMatrices)
        {
            *tail = &matrix2;
            tail = &matrix2.PNext;
        }
        if (Features.BFloat16)
        {
            *tail = &bfloat16;
            tail = &bfloat16.PNext;
        }
        if (Features.ExecutableProperties && Use != DeviceUse.Run)
            *tail = &executables;
        return CreateDevice(&features, queue);
    }

    private Device CreateDevice(PhysicalDeviceFeatures2* features, DeviceQueueCreateInfo queue)
    {
        string[] names = [.. Features.ExtensionNames(Use)];
        byte** extensions = (byte**)SilkMarshal.StringArrayToPtr(names);
        DeviceCreateInfo create = new()
        {
            SType = StructureType.DeviceCreateInfo,
            PNext = features,
            QueueCreateInfoCount = 1,
            PQueueCreateInfos = &queue,
            EnabledExtensionCount = (uint)names.Length,
            PpEnabledExtensionNames = extensions,
        };
        Result result = Calls.CreateDevice(Physical, in create, out Device device);
        SilkMarshal.Free((nint)extensions);
        VulkanError.Check(result, $"opening {Info.Name}");
        return device;
    }

    private PhysicalDeviceShaderBfloat16FeaturesKHR BFloat16() =>
        new()
        {
            SType = StructureType.PhysicalDeviceShaderBfloat16FeaturesKhr,
            ShaderBFloat16Type = true,
            ShaderBFloat16CooperativeMatrix = Features.BFloat16Matrices,
        };

    private PhysicalDeviceVulkan13Features Features13() =>
        new()
        {
            SType = StructureType.PhysicalDeviceVulkan13Features,
            Synchronization2 = Features.Synchronization2,
            Maintenance4 = Features.Maintenance4,
            SubgroupSizeControl = Features.SubgroupSizeControl,
            ComputeFullSubgroups = Features.FullSubgroups,
        };

    private PhysicalDeviceVulkan11Features Features11(PhysicalDeviceVulkan12Features* next) =>
        new()
        {
            SType = StructureType.PhysicalDeviceVulkan11Features,
            PNext = next,
            StorageBuffer16BitAccess = Features.Storage16,
        };

    private PhysicalDeviceVulkan12Features Features12(PhysicalDeviceVulkan13Features* next) =>
        new()
        {
            SType = StructureType.PhysicalDeviceVulkan12Features,
            PNext = next,
            TimelineSemaphore = Features.TimelineSemaphore,
            ShaderFloat16 = Features.Float16,
            StorageBuffer8BitAccess = Features.Storage8,
            VulkanMemoryModel = Features.MemoryModel,
            BufferDeviceAddress = Info.BufferAddresses,
        };

    private static PhysicalDeviceCooperativeMatrix2FeaturesNV WorkgroupMatrices() =>
        new()
        {
            SType = StructureType.PhysicalDeviceCooperativeMatrix2FeaturesNV,
            CooperativeMatrixWorkgroupScope = true,
            CooperativeMatrixFlexibleDimensions = true,
            CooperativeMatrixTensorAddressing = true,
            CooperativeMatrixPerElementOperations = true,
        };

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        // A lost device is torn down as well. When memory is short, the wait may fail while the device still computes.
        for (
            int attempt = 0;
            Runs
                && attempt < 3
                && Calls.DeviceWaitIdle() is Result.ErrorOutOfDeviceMemory or Result.ErrorOutOfHostMemory;
            attempt++
        )
            Thread.Sleep(1);
        Transfers.Dispose();
        Pipelines.Dispose();
        Queue.Dispose();
        Memory.Dispose();
        Calls.DestroyDevice();
    }
}
