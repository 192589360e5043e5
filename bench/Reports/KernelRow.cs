namespace Deit.Bench.Reports;

/// <summary>A kernel as a driver's compiler makes it. A figure that the driver does not tell is null.</summary>
/// <param name="Kernel">The shader.</param>
/// <param name="Constants">Its specialization constants; the first is the size of a workgroup.</param>
/// <param name="First">In how many choices it is the first candidate, which runs where nothing is measured.</param>
/// <param name="Choices">In how many choices it is a candidate.</param>
/// <param name="CompileMilliseconds">How long the compiler took.</param>
/// <param name="Candidate">Its name among the candidates of choices; null for a kernel without alternatives.</param>
/// <param name="Refusal">The driver's error where it refused the kernel.</param>
/// <param name="SubgroupSize">The subgroup size that it was compiled for.</param>
/// <param name="Registers">Vector registers of a lane.</param>
/// <param name="Spills">Registers that did not fit.</param>
/// <param name="ScratchBytes">Bytes of memory for them.</param>
/// <param name="SharedBytes">Shared memory of a workgroup.</param>
/// <param name="Subgroups">Subgroups that a part of the device holds at once.</param>
/// <param name="Instructions">Instructions of the program.</param>
/// <param name="Cycles">Cycles of a subgroup by the driver's model.</param>
/// <param name="GigaFlopsPerSecond">Its best measured rate, on a device that runs it.</param>
/// <param name="Milliseconds">The measured time of its largest run, on a device that runs it.</param>
internal sealed record KernelRow(
    string Kernel,
    string Constants,
    int First,
    int Choices,
    double CompileMilliseconds,
    string? Candidate = null,
    string? Refusal = null,
    int? SubgroupSize = null,
    double? Registers = null,
    double? Spills = null,
    double? ScratchBytes = null,
    double? SharedBytes = null,
    double? Subgroups = null,
    double? Instructions = null,
    double? Cycles = null,
    double? GigaFlopsPerSecond = null,
    double? Milliseconds = null
)
{
    // Fewer subgroups than these do not hide how long memory takes: each waits for its own loads.
    private const int FewSubgroups = 4;

    /// <summary>Whether values that do not fit the registers wait in memory.</summary>
    public bool IsSpilling => Spills > 0 || ScratchBytes > 0;

    /// <summary>Whether it runs where nothing is measured.</summary>
    public bool IsDefault => Candidate is null || First > 0;

    /// <summary>How much there is to say against it: the larger, the worse. 0 where there is nothing.</summary>
    public double Harm =>
        (IsDefault ? 10 : 1)
        * (
            Refusal is not null ? 1e9
            : IsSpilling ? 1e6 + (Spills ?? 0) + ((ScratchBytes ?? 0) / 1024)
            : Subgroups < FewSubgroups ? 1e3 * (FewSubgroups - Subgroups.Value)
            : 0
        );

    /// <summary>What there is to say against it, in words; empty where there is nothing.</summary>
    public string Verdict =>
        Refusal is not null ? $"refused: {Refusal}"
        : IsSpilling ? "does not fit the registers"
        : Subgroups < FewSubgroups ? "few subgroups at once hide memory's latency badly"
        : "";
}
