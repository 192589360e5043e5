namespace Deit.Gpu.Vulkan;

/// <summary>What a driver's compiler made of a kernel.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Milliseconds">How long the compiler took.</param>
/// <param name="Refusal">The driver's error where it refused the kernel; null where it did not.</param>
/// <param name="Executables">What came out; empty where the driver does not tell. Some drivers compile a kernel for several subgroup
/// sizes.</param>
internal sealed record CompiledKernel(
    PipelineDescription Kernel,
    double Milliseconds,
    string? Refusal,
    IReadOnlyList<KernelExecutable> Executables
);

/// <summary>A program of the device, in the words of its driver.</summary>
/// <param name="Name">What it is.</param>
/// <param name="SubgroupSize">The subgroup size that it was compiled for; 0 where the driver does not tell.</param>
/// <param name="Statistics">Figures by the driver's names.</param>
internal sealed record KernelExecutable(string Name, int SubgroupSize, IReadOnlyDictionary<string, double> Statistics);
