using Deit.Gpu;
using Deit.Gpu.Vulkan;

namespace Deit.Tests.Gpu.Devices;

/// <summary>The rules that a launch keeps on a device, for devices that need not be there.</summary>
internal static class LaunchRules
{
    /// <summary>A sentence for each rule that a launch breaks on a device.</summary>
    /// <exception cref="InvalidOperationException">The launch does not fit its own shader.</exception>
    public static IEnumerable<string> Faults(GpuInfo info, Dispatch launch)
    {
        launch.Kernel.Shader.Verify(launch.Pipeline);
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
        double shared = launch.Kernel.Shader.Demands.SharedBytes(launch.Specialization);
        if (!(shared <= info.SharedMemoryBytes))
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
        foreach (uint number in launch.Kernel.Shader.Demands.Capabilities)
        {
            SpirvCapability capability = SpirvCapability.Of(number);
            if (!capability.IsOffered(info))
                yield return $"capability {capability.Name}, the device lacks it";
        }
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
