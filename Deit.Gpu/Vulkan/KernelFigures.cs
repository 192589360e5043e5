namespace Deit.Gpu.Vulkan;

/// <summary>
/// The figures of a compiled kernel that all drivers have, though under different names. A figure that the driver does not tell is null.
/// </summary>
/// <param name="Registers">Vector registers of a lane.</param>
/// <param name="Spills">Registers that did not fit and wait in memory.</param>
/// <param name="ScratchBytes">Bytes of memory for them: of a subgroup on AMD, else of what the driver counts.</param>
/// <param name="SharedBytes">Shared memory of a workgroup.</param>
/// <param name="Subgroups">Subgroups that a part of the device holds at once: a SIMD of AMD, where one of 64 lanes counts as two on RDNA, a
/// multiprocessor of NVIDIA, a core of Adreno.</param>
/// <param name="Instructions">Instructions of the program.</param>
/// <param name="Cycles">Cycles of a subgroup by the driver's model of the device.</param>
internal sealed record KernelFigures(
    double? Registers,
    double? Spills,
    double? ScratchBytes,
    double? SharedBytes,
    double? Subgroups,
    double? Instructions,
    double? Cycles
)
{
    // Names of Mesa's drivers for AMD (RADV), Intel (ANV), NVIDIA (NVK) and Adreno (Turnip), then of NVIDIA's own.
    private static readonly string[] RegisterNames =
    [
        "VGPRs",
        "GRF registers",
        "Max live registers",
        "Number of GPRs",
        "Registers used",
        "Register Count",
    ];
    private static readonly string[] SpillNames =
    [
        "Spilled VGPRs",
        "Spilled SGPRs",
        "Spill Count",
        "Spills to memory",
        "STP Count",
    ];
    private static readonly string[] ScratchNames =
    [
        "Scratch size",
        "Scratch Memory Size",
        "SLM size",
        "Local Memory Size",
    ];
    private static readonly string[] SharedNames = ["LDS size", "Workgroup Memory Size", "Shared Memory Size"];
    private static readonly string[] SubgroupNames = ["Subgroups per SIMD", "Max warps/SM", "Max Waves Per Core"];
    private static readonly string[] InstructionNames = ["Instructions", "Instruction count"];
    private static readonly string[] CycleNames = ["Inverse Throughput", "Cycle count", "Static cycle count"];

    /// <summary>The figures of a driver's own.</summary>
    /// <param name="statistics">Figures by the driver's names, whose case differs between versions.</param>
    public static KernelFigures Of(IReadOnlyDictionary<string, double> statistics)
    {
        Dictionary<string, double> told = new(statistics, StringComparer.OrdinalIgnoreCase);
        double[] spills = [.. SpillNames.Where(told.ContainsKey).Select(name => told[name])];
        return new KernelFigures(
            First(RegisterNames),
            spills.Length > 0 ? spills.Sum() : null,
            First(ScratchNames),
            First(SharedNames),
            First(SubgroupNames),
            First(InstructionNames),
            First(CycleNames)
        );

        double? First(string[] names) =>
            names.Where(told.ContainsKey).Select(name => (double?)told[name]).FirstOrDefault();
    }
}
