using Silk.NET.Vulkan;

namespace Deit.Gpu.Vulkan;

/// <summary>The optional features a device has: queried once, enabled when the device is opened.</summary>
internal sealed unsafe record Features
{
    private const string MemoryBudgetName = "VK_EXT_memory_budget";
    private const string CooperativeMatrixName = "VK_KHR_cooperative_matrix";
    private const string CooperativeMatrix2Name = "VK_NV_cooperative_matrix2";
    private const string BFloat16Name = "VK_KHR_shader_bfloat16";
    private const string PortabilitySubsetName = "VK_KHR_portability_subset";
    private const string ExecutablePropertiesName = "VK_KHR_pipeline_executable_properties";

    public bool TimelineSemaphore { get; private init; }
    public bool Synchronization2 { get; private init; }
    public bool Maintenance4 { get; private init; }
    public bool SubgroupSizeControl { get; private init; }
    public bool FullSubgroups { get; private init; }
    public bool Float16 { get; private init; }
    public bool Storage16 { get; private init; }
    public bool Storage8 { get; private init; }
    public bool MemoryModel { get; private init; }
    public bool CooperativeMatrix { get; private init; }
    public bool WorkgroupMatrices { get; private init; }
    public bool BFloat16 { get; private init; }
    public bool BFloat16Matrices { get; private init; }
    public bool MemoryBudget { get; private init; }

    /// <summary>
    /// The driver is built on another interface and lacks parts of Vulkan, none of which is used here. Such a driver wants
    /// the extension enabled.
    /// </summary>
    public bool PortabilitySubset { get; private init; }

    /// <summary>What the driver's compiler made of a kernel can be asked.</summary>
    public bool ExecutableProperties { get; private init; }

    /// <summary>Addresses of buffers as 64-bit integers of a shader.</summary>
    public bool BufferAddresses { get; private init; }

    public static Features Query(Vk vk, PhysicalDevice device, HashSet<string> extensions, bool vulkan13)
    {
        if (!vulkan13)
            return new Features();
        PhysicalDeviceShaderBfloat16FeaturesKHR bfloat16 = new()
        {
            SType = StructureType.PhysicalDeviceShaderBfloat16FeaturesKhr,
        };
        PhysicalDeviceCooperativeMatrix2FeaturesNV matrix2 = new()
        {
            SType = StructureType.PhysicalDeviceCooperativeMatrix2FeaturesNV,
        };
        PhysicalDeviceCooperativeMatrixFeaturesKHR matrix = new()
        {
            SType = StructureType.PhysicalDeviceCooperativeMatrixFeaturesKhr,
        };
        PhysicalDeviceVulkan13Features features13 = new() { SType = StructureType.PhysicalDeviceVulkan13Features };
        PhysicalDeviceVulkan12Features features12 = new()
        {
            SType = StructureType.PhysicalDeviceVulkan12Features,
            PNext = &features13,
        };
        PhysicalDeviceVulkan11Features features11 = new()
        {
            SType = StructureType.PhysicalDeviceVulkan11Features,
            PNext = &features12,
        };
        PhysicalDeviceFeatures2 features = new() { SType = StructureType.PhysicalDeviceFeatures2, PNext = &features11 };
        void** tail = &features13.PNext;
        if (extensions.Contains(CooperativeMatrixName))
        {
            *tail = &matrix;
            tail = &matrix.PNext;
        }
        if (extensions.Contains(CooperativeMatrix2Name))
        {
            *tail = &matrix2;
            tail = &matrix2.PNext;
        }
        if (extensions.Contains(BFloat16Name))
        {
            *tail = &bfloat16;
            tail = &bfloat16.PNext;
        }
        PhysicalDevicePipelineExecutablePropertiesFeaturesKHR executables = new()
        {
            SType = StructureType.PhysicalDevicePipelineExecutablePropertiesFeaturesKhr,
        };
        if (extensions.Contains(ExecutablePropertiesName))
            *tail = &executables;
        vk.GetPhysicalDeviceFeatures2(device, &features);
        return Of(features.Features, features11, features12, features13, matrix, matrix2, bfloat16, extensions) with
        {
            ExecutableProperties = executables.PipelineExecutableInfo,
        };
    }

    private static Features Of(
        in PhysicalDeviceFeatures features10,
        in PhysicalDeviceVulkan11Features features11,
        in PhysicalDeviceVulkan12Features features12,
        in PhysicalDeviceVulkan13Features features13,
        in PhysicalDeviceCooperativeMatrixFeaturesKHR matrix,
        in PhysicalDeviceCooperativeMatrix2FeaturesNV matrix2,
        in PhysicalDeviceShaderBfloat16FeaturesKHR bfloat16,
        HashSet<string> extensions
    ) =>
        new()
        {
            TimelineSemaphore = features12.TimelineSemaphore,
            Synchronization2 = features13.Synchronization2,
            Maintenance4 = features13.Maintenance4,
            SubgroupSizeControl = features13.SubgroupSizeControl,
            FullSubgroups = features13.ComputeFullSubgroups,
            Float16 = features12.ShaderFloat16,
            Storage16 = features11.StorageBuffer16BitAccess,
            Storage8 = features12.StorageBuffer8BitAccess,
            MemoryModel = features12.VulkanMemoryModel,
            CooperativeMatrix = matrix.CooperativeMatrix && features12.VulkanMemoryModel,
            // Some drivers list the extension and lack the parts that are needed here: only the feature bits count.
            WorkgroupMatrices =
                matrix.CooperativeMatrix
                && features12.VulkanMemoryModel
                && matrix2.CooperativeMatrixWorkgroupScope
                && matrix2.CooperativeMatrixFlexibleDimensions
                && matrix2.CooperativeMatrixTensorAddressing
                && matrix2.CooperativeMatrixPerElementOperations,
            BFloat16 = bfloat16.ShaderBFloat16Type,
            BFloat16Matrices = bfloat16.ShaderBFloat16Type && bfloat16.ShaderBFloat16CooperativeMatrix,
            MemoryBudget = extensions.Contains(MemoryBudgetName),
            PortabilitySubset = extensions.Contains(PortabilitySubsetName),
            BufferAddresses = features12.BufferDeviceAddress && features10.ShaderInt64,
        };

    /// <summary>The part of the baseline that the device lacks; null when nothing is missing.</summary>
    public string? Missing() =>
        !TimelineSemaphore || !Synchronization2 || !Maintenance4
            ? "its driver lacks timeline semaphores, synchronization2 or maintenance4"
            : null;

    /// <summary>The extensions to enable.</summary>
    /// <param name="use">What the device is opened for.</param>
    public IEnumerable<string> ExtensionNames(DeviceUse use)
    {
        if (PortabilitySubset)
            yield return PortabilitySubsetName;
        if (CooperativeMatrix)
            yield return CooperativeMatrixName;
        if (WorkgroupMatrices)
            yield return CooperativeMatrix2Name;
        if (BFloat16)
            yield return BFloat16Name;
        if (MemoryBudget)
            yield return MemoryBudgetName;
        if (ExecutableProperties && use != DeviceUse.Run)
            yield return ExecutablePropertiesName;
    }
}
