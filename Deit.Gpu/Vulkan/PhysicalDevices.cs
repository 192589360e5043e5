using System.Runtime.InteropServices;
using Silk.NET.Vulkan;

namespace Deit.Gpu.Vulkan;

/// <summary>Enumerates the devices of the instance and gathers the facts that choices are made by.</summary>
internal static unsafe class PhysicalDevices
{
    private static readonly uint Vulkan14 = Vk.MakeVersion(1, 4);

    // What shaders do within a subgroup.
    private const SubgroupFeatureFlags SubgroupOperations =
        SubgroupFeatureFlags.BasicBit | SubgroupFeatureFlags.ArithmeticBit | SubgroupFeatureFlags.ShuffleBit;

    public static (PhysicalDevice Handle, GpuInfo Info)[] Enumerate(VulkanInstance instance) =>
        [.. Handles(instance).Select((handle, index) => (handle, Describe(instance, handle, index)))];

    public static PhysicalDevice[] Handles(VulkanInstance instance)
    {
        uint count = 0;
        VulkanError.Check(
            instance.Vk.EnumeratePhysicalDevices(instance.Handle, ref count, null),
            "counting the devices"
        );
        PhysicalDevice[] handles = new PhysicalDevice[count];
        fixed (PhysicalDevice* pointer = handles)
            VulkanError.Check(
                instance.Vk.EnumeratePhysicalDevices(instance.Handle, ref count, pointer),
                "listing the devices"
            );
        return handles;
    }

    private static GpuInfo Describe(VulkanInstance instance, PhysicalDevice device, int index)
    {
        Vk vk = instance.Vk;
        HashSet<string> extensions = Extensions(vk, device);
        PhysicalDeviceProperties2 properties = Properties(
            vk,
            device,
            out PhysicalDeviceVulkan11Properties properties11,
            out PhysicalDeviceVulkan12Properties properties12,
            out PhysicalDeviceVulkan13Properties properties13
        );
        bool vulkan13 = properties.Properties.ApiVersion >= Vk.Version13;
        Features features = Features.Query(vk, device, extensions, vulkan13);
        PhysicalDeviceMemoryProperties memory;
        vk.GetPhysicalDeviceMemoryProperties(device, &memory);
        GpuType type = TypeOf(properties.Properties.DeviceType);
        // Only an open device tells which types buffers may use; the heap is the same.
        MemoryChoice choice = MemoryChoice.For(memory, type, allowed: uint.MaxValue);
        bool addresses = HasAddresses(type, features, properties.Properties.ApiVersion);
        long heapBytes = (long)memory.MemoryHeaps[(int)choice.Heap].Size;
        PhysicalDeviceLimits limits = properties.Properties.Limits;
        GpuInfo info = new()
        {
            Index = index,
            Name = Text(properties.Properties.DeviceName),
            Type = type,
            Uuid = Convert.ToHexStringLower(new ReadOnlySpan<byte>(properties11.DeviceUuid, 16)),
            DriverUuid = Convert.ToHexStringLower(new ReadOnlySpan<byte>(properties11.DriverUuid, 16)),
            Driver = $"{Text(properties12.DriverName)} {Text(properties12.DriverInfo)}".TrimEnd(),
            ApiVersion = VulkanInstance.VersionText(properties.Properties.ApiVersion),
            Unsuitable = !vulkan13
                ? $"its driver offers Vulkan {VulkanInstance.VersionText(properties.Properties.ApiVersion)}, 1.3 is needed"
                : features.Missing() ?? MissingOperations(properties11),
            // A CPU driver reports an arbitrary heap; its memory is the machine's.
            MemoryBytes = type == GpuType.Cpu ? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes : heapBytes,
            HostVisibleMemory = choice.HostVisible,
            MaxAllocationBytes = MaxAllocation(
                properties11.MaxMemoryAllocationSize,
                vulkan13 ? properties13.MaxBufferSize : ulong.MaxValue,
                addresses ? MemoryBlock.Slack : 0
            ),
            BufferAddresses = addresses,
            MaxStorageBufferRange = limits.MaxStorageBufferRange,
            SubgroupSize = (int)properties11.SubgroupSize,
            SubgroupSizes = SubgroupSizes(properties13, features.SubgroupSizeControl),
            SharedMemoryBytes = (int)limits.MaxComputeSharedMemorySize,
            MaxWorkgroupSize = (int)Math.Min(limits.MaxComputeWorkGroupInvocations, limits.MaxComputeWorkGroupSize[0]),
            MaxWorkgroups = MostWorkgroups(limits),
            PushConstantBytes = (int)limits.MaxPushConstantsSize,
            Float16 = features.Float16,
            Storage16 = features.Storage16,
            BFloat16 = features.BFloat16,
            WorkgroupMatrices = features.WorkgroupMatrices,
            MaxMatrixDimension = features.WorkgroupMatrices ? (int)MaxMatrixDimension(vk, device) : 0,
            MatrixShapes = Units(instance, device, features, type, properties11.SubgroupSize),
            TimestampPeriod = limits.TimestampComputeAndGraphics ? limits.TimestampPeriod : 0,
        };
        return WithFactsOfKernels(info, features, limits, properties11, properties13);
    }

    // Mesa's CPU driver offers matrix units with any length of vectors. With 512 bits, which make subgroups of 16 lanes, the
    // process ends by a fault when a kernel that uses them is compiled (Mesa 26.2).
    private static MatrixShape[] Units(
        VulkanInstance instance,
        PhysicalDevice device,
        Features features,
        GpuType type,
        uint subgroupSize
    ) => type == GpuType.Cpu && subgroupSize > 8 ? [] : [.. MatrixShapes(instance, device, features)];

    private static string? MissingOperations(in PhysicalDeviceVulkan11Properties properties) =>
        properties.SubgroupSupportedStages.HasFlag(ShaderStageFlags.ComputeBit)
        && properties.SubgroupSupportedOperations.HasFlag(SubgroupOperations)
            ? null
            : "its compute shaders lack sums and exchanges of values within subgroups";

    private static int MostSubgroups(in PhysicalDeviceVulkan13Properties properties) =>
        properties.MaxComputeWorkgroupSubgroups is > 0 and < int.MaxValue and var most ? (int)most : int.MaxValue;

    // What kernels are held to besides.
    private static GpuInfo WithFactsOfKernels(
        GpuInfo info,
        Features features,
        in PhysicalDeviceLimits limits,
        in PhysicalDeviceVulkan11Properties properties11,
        in PhysicalDeviceVulkan13Properties properties13
    ) =>
        info with
        {
            Storage8 = features.Storage8,
            SubgroupOperations = (uint)properties11.SubgroupSupportedOperations,
            MaxBindings = (int)
                Math.Min(
                    Math.Min(limits.MaxDescriptorSetStorageBuffers, limits.MaxPerStageDescriptorStorageBuffers),
                    Math.Min(limits.MaxPerStageResources, int.MaxValue)
                ),
            MaxWorkgroupSubgroups = MostSubgroups(properties13),
            MaxWorkgroupHeight = (int)limits.MaxComputeWorkGroupSize[1],
            MaxWorkgroupDepth = (int)limits.MaxComputeWorkGroupSize[2],
        };

    private static WorkgroupCount MostWorkgroups(in PhysicalDeviceLimits limits) =>
        new(limits.MaxComputeWorkGroupCount[0], limits.MaxComputeWorkGroupCount[1], limits.MaxComputeWorkGroupCount[2]);

    // CPU drivers from before Vulkan 1.4 (Mesa 22.3) run the kernels that get addresses at a fifth of the speed of others,
    // and take twenty seconds to compile them.
    private static bool HasAddresses(GpuType type, Features features, uint apiVersion) =>
        type == GpuType.Cpu && features.BufferAddresses && apiVersion >= Vulkan14;

    // The properties of Vulkan 1.1 to 1.3 are all zero where the device offers less than 1.3.
    private static PhysicalDeviceProperties2 Properties(
        Vk vk,
        PhysicalDevice device,
        out PhysicalDeviceVulkan11Properties of11,
        out PhysicalDeviceVulkan12Properties of12,
        out PhysicalDeviceVulkan13Properties of13
    )
    {
        PhysicalDeviceVulkan13Properties properties13 = new()
        {
            SType = StructureType.PhysicalDeviceVulkan13Properties,
        };
        PhysicalDeviceVulkan12Properties properties12 = new()
        {
            SType = StructureType.PhysicalDeviceVulkan12Properties,
            PNext = &properties13,
        };
        PhysicalDeviceVulkan11Properties properties11 = new()
        {
            SType = StructureType.PhysicalDeviceVulkan11Properties,
            PNext = &properties12,
        };
        PhysicalDeviceProperties2 properties = new() { SType = StructureType.PhysicalDeviceProperties2 };
        vk.GetPhysicalDeviceProperties2(device, &properties);
        if (properties.Properties.ApiVersion >= Vk.Version13)
        {
            properties.PNext = &properties11;
            vk.GetPhysicalDeviceProperties2(device, &properties);
        }
        (of11, of12, of13) = (properties11, properties12, properties13);
        return properties with { PNext = null };
    }

    private static GpuType TypeOf(PhysicalDeviceType type) =>
        type switch
        {
            PhysicalDeviceType.DiscreteGpu => GpuType.Discrete,
            PhysicalDeviceType.IntegratedGpu => GpuType.Integrated,
            PhysicalDeviceType.VirtualGpu => GpuType.Virtual,
            PhysicalDeviceType.Cpu => GpuType.Cpu,
            _ => GpuType.Other,
        };

    private static long MaxAllocation(ulong allocation, ulong buffer, int slack) =>
        ((long)Math.Min(long.MaxValue, Math.Min(allocation, buffer)) - slack)
        / MemoryAlignment.Bytes
        * MemoryAlignment.Bytes;

    public static HashSet<string> Extensions(Vk vk, PhysicalDevice device)
    {
        uint count = 0;
        VulkanError.Check(
            vk.EnumerateDeviceExtensionProperties(device, (byte*)null, ref count, null),
            "counting the device's extensions"
        );
        ExtensionProperties[] all = new ExtensionProperties[count];
        fixed (ExtensionProperties* pointer = all)
        {
            VulkanError.Check(
                vk.EnumerateDeviceExtensionProperties(device, (byte*)null, ref count, pointer),
                "listing the device's extensions"
            );
            HashSet<string> names = [];
            for (int i = 0; i < count; i++)
                names.Add(Text(pointer[i].ExtensionName));
            return names;
        }
    }

    private static uint MaxMatrixDimension(Vk vk, PhysicalDevice device)
    {
        PhysicalDeviceCooperativeMatrix2PropertiesNV matrix2 = new()
        {
            SType = StructureType.PhysicalDeviceCooperativeMatrix2PropertiesNV,
        };
        PhysicalDeviceProperties2 properties = new()
        {
            SType = StructureType.PhysicalDeviceProperties2,
            PNext = &matrix2,
        };
        vk.GetPhysicalDeviceProperties2(device, &properties);
        return matrix2.CooperativeMatrixFlexibleDimensionsMaxDimension;
    }

    private static IEnumerable<MatrixShape> MatrixShapes(
        VulkanInstance instance,
        PhysicalDevice device,
        Features features
    )
    {
        CooperativeMatrixPropertiesKHR[] shapes = features.CooperativeMatrix
            ? List(
                instance,
                device,
                "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR",
                new CooperativeMatrixPropertiesKHR { SType = StructureType.CooperativeMatrixPropertiesKhr }
            )
            : [];
        CooperativeMatrixFlexibleDimensionsPropertiesNV[] flexible = features.WorkgroupMatrices
            ? List(
                instance,
                device,
                "vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV",
                new CooperativeMatrixFlexibleDimensionsPropertiesNV
                {
                    SType = StructureType.CooperativeMatrixFlexibleDimensionsPropertiesNV,
                }
            )
            : [];
        return shapes
            .Select(s => new MatrixShape(
                s.MSize,
                s.NSize,
                s.KSize,
                Component(s.AType),
                Component(s.ResultType),
                Scope(s.Scope)
            ))
            .Concat(
                flexible.Select(s => new MatrixShape(
                    s.MGranularity,
                    s.NGranularity,
                    s.KGranularity,
                    Component(s.AType),
                    Component(s.ResultType),
                    Scope(s.Scope),
                    s.WorkgroupInvocations
                ))
            )
            // Matrices of bfloat16 are a feature of their own.
            .Where(s => s.Input != "bf16" || features.BFloat16Matrices)
            .Distinct();
    }

    private static T[] List<T>(VulkanInstance instance, PhysicalDevice device, string function, T empty)
        where T : unmanaged
    {
        delegate* unmanaged<PhysicalDevice, uint*, void*, Result> query = (delegate* unmanaged<
            PhysicalDevice,
            uint*,
            void*,
            Result>)
            (void*)instance.Vk.GetInstanceProcAddr(instance.Handle, function);
        if (query == null)
            return [];
        uint count = 0;
        VulkanError.Check(query(device, &count, null), "counting the matrix shapes");
        T[] shapes = new T[count];
        Array.Fill(shapes, empty);
        fixed (T* pointer = shapes)
            VulkanError.Check(query(device, &count, pointer), "listing the matrix shapes");
        return shapes;
    }

    private static string Scope(ScopeKHR scope) => scope == ScopeKHR.WorkgroupKhr ? "workgroup" : "subgroup";

    private static string Component(ComponentTypeKHR type) =>
        type switch
        {
            ComponentTypeKHR.Float16Khr => "f16",
            ComponentTypeKHR.Float32Khr => "f32",
            ComponentTypeKHR.Float64Khr => "f64",
            ComponentTypeKHR.Sint8Khr => "s8",
            ComponentTypeKHR.Uint8Khr => "u8",
            ComponentTypeKHR.Sint32Khr => "s32",
            ComponentTypeKHR.Uint32Khr => "u32",
            (ComponentTypeKHR)1000141000 => "bf16",
            (ComponentTypeKHR)1000491000 => "s8x4",
            (ComponentTypeKHR)1000491001 => "u8x4",
            (ComponentTypeKHR)1000491002 => "f8e4m3",
            (ComponentTypeKHR)1000491003 => "f8e5m2",
            _ => $"type{(int)type}",
        };

    private static string Text(byte* utf8) => Marshal.PtrToStringUTF8((nint)utf8) ?? "";

    /// <summary>The subgroup sizes of which a compute kernel can be sure.</summary>
    internal static SubgroupRange SubgroupSizes(in PhysicalDeviceVulkan13Properties properties, bool control) =>
        properties.MinSubgroupSize == properties.MaxSubgroupSize
        || (control && properties.RequiredSubgroupSizeStages.HasFlag(ShaderStageFlags.ComputeBit))
            ? new((int)properties.MinSubgroupSize, (int)properties.MaxSubgroupSize)
            : default;
}
