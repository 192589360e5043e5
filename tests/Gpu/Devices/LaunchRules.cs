using Deit.Gpu;
using Deit.Gpu.Vulkan;

namespace Deit.Tests.Gpu.Devices;

/// <summary>The rules that a launch keeps on a device, for devices that need not be there.</summary>
internal static class LaunchRules
{
    // What a device needs for a capability of a shader: the SPIR-V specification, section 3.31, and its extensions. The
    // facts of a device do not tell which operations its subgroups have.
    private static readonly Dictionary<uint, (string Name, Func<GpuInfo, bool> IsOffered)> Capabilities = new()
    {
        [1] = ("Shader", _ => true),
        [9] = ("Float16", info => info.Float16),
        [11] = ("Int64", info => info.BufferAddresses),
        [61] = ("GroupNonUniform", _ => true),
        [63] = ("GroupNonUniformArithmetic", _ => true),
        [65] = ("GroupNonUniformShuffle", _ => true),
        [4433] = ("StorageBuffer16BitAccess", info => info.Storage16),
        [5116] = ("BFloat16TypeKHR", info => info.BFloat16),
        [5118] = ("BFloat16CooperativeMatrixKHR", info => info.MatrixShapes.Any(shape => shape.Input == "bf16")),
        // A device has no shapes without the memory model that matrices need.
        [5345] = ("VulkanMemoryModel", info => info.MatrixShapes.Count > 0),
        [5347] = ("PhysicalStorageBufferAddresses", info => info.BufferAddresses),
        [5432] = ("CooperativeMatrixPerElementOperationsNV", info => info.WorkgroupMatrices),
        [5433] = ("CooperativeMatrixTensorAddressingNV", info => info.WorkgroupMatrices),
        [5439] = ("TensorAddressingNV", info => info.WorkgroupMatrices),
        [6022] = ("CooperativeMatrixKHR", info => info.MatrixShapes.Count > 0),
    };

    /// <summary>A sentence for each rule that a launch breaks on a device.</summary>
    /// <exception cref="InvalidOperationException">The launch does not fit its own shader.</exception>
    public static IEnumerable<string> Faults(GpuInfo info, Dispatch launch)
    {
        SpirvModule.Load(launch.Kernel.Name).Verify(launch.Pipeline);
        string what = $"{info.Name}, {launch.Kernel.Name} ({string.Join(' ', launch.Specialization)})";
        return
        [
            .. OfSizes(info, launch).Select(fault => $"{what}: {fault}"),
            .. OfSubgroups(info, launch).Select(fault => $"{what}: {fault}"),
            .. OfCapabilities(info, launch).Select(fault => $"{what}: {fault}"),
            .. OfUnits(info, launch).Select(fault => $"{what}: {fault}"),
        ];
    }

    private static IEnumerable<string> OfSizes(GpuInfo info, Dispatch launch)
    {
        uint invocations = launch.Specialization[0];
        if (invocations == 0 || invocations > info.MaxWorkgroupSize)
            yield return $"a workgroup of {invocations} invocations, at most {info.MaxWorkgroupSize}";
        long shared = ShaderDemands.Of(launch.Kernel.Name).SharedBytes(launch.Specialization);
        if (shared > info.SharedMemoryBytes)
            yield return $"{shared} bytes of shared memory, at most {info.SharedMemoryBytes}";
        if (launch.Pipeline.PushBytes > info.PushConstantBytes)
            yield return $"{launch.Pipeline.PushBytes} bytes of push constants, at most {info.PushConstantBytes}";
    }

    private static IEnumerable<string> OfSubgroups(GpuInfo info, Dispatch launch)
    {
        if (launch.Kernel.Subgroups == SubgroupDemand.None)
            yield break;
        int lanes = info.SubgroupSizeFor(launch.Kernel.Subgroups);
        if (launch.Specialization[0] % lanes != 0)
            yield return $"a workgroup of {launch.Specialization[0]} invocations, subgroups of {lanes}";
        // Where nothing may be asked for, the kernel gets what the driver reports.
        if (info.SubgroupSizes != default && !info.SubgroupSizes.Contains(lanes))
            yield return $"subgroups of {lanes}, no kernel has them";
    }

    private static IEnumerable<string> OfCapabilities(GpuInfo info, Dispatch launch)
    {
        foreach (uint capability in ShaderDemands.Of(launch.Kernel.Name).Capabilities)
            if (!Capabilities.TryGetValue(capability, out (string Name, Func<GpuInfo, bool> IsOffered) rule))
                yield return $"capability {capability}, for which there is no rule";
            else if (!rule.IsOffered(info))
                yield return $"capability {rule.Name}, the device lacks it";
    }

    private static IEnumerable<string> OfUnits(GpuInfo info, Dispatch launch)
    {
        uint[] constants = launch.Specialization;
        string input = launch.Kernel.Name.Contains("bf16", StringComparison.Ordinal) ? "bf16" : "f16";
        if (launch.Kernel.Name.StartsWith("matmul.cooperative2.", StringComparison.Ordinal))
        {
            (uint invocations, uint m, uint n, uint k) = (constants[0], constants[1], constants[2], constants[3]);
            if (!info.MatrixShapes.Any(unit => Divides(unit, invocations)))
                yield return $"matrices of {m}x{n}x{k} {input} by a workgroup of {invocations}";
            if (Math.Max(Math.Max(m, n), k) > info.MaxMatrixDimension)
                yield return $"matrices of {m}x{n}x{k}, dimensions are at most {info.MaxMatrixDimension}";
            bool Divides(MatrixShape unit, uint size) =>
                unit.Input == input
                && unit.Accumulator == "f32"
                && unit.Scope == "workgroup"
                && unit.Invocations == size
                && m % unit.M == 0
                && n % unit.N == 0
                && k % unit.K == 0;
        }
        else if (launch.Kernel.Name.Contains(".cooperative.", StringComparison.Ordinal))
        {
            // Where the constants of the units' shape and of the subgroup size begin.
            int at = launch.Kernel.Name.StartsWith("matmul", StringComparison.Ordinal) ? 6 : 5;
            MatrixShape unit = new(constants[at], constants[at + 1], constants[at + 2], input, "f32", "subgroup");
            if (!info.MatrixShapes.Contains(unit))
                yield return $"matrices of {unit}, the device has {string.Join(", ", info.MatrixShapes)}";
            if (constants[at + 3] != info.UnitSubgroupSize)
                yield return $"subgroups of {constants[at + 3]} for matrices, they have {info.UnitSubgroupSize}";
        }
    }
}
