using System.Globalization;

namespace Deit.Train.Distributed.Mpi;

/// <summary>What a launcher such as <c>mpirun</c> or <c>srun</c> says of the processes that it started.</summary>
/// <param name="Name">The MPI that the launcher belongs to, as people call it.</param>
/// <param name="Rank">The number of this process.</param>
/// <param name="Size">How many processes there are.</param>
/// <param name="Libraries">The files of libraries that understand this launcher, the likeliest first.</param>
internal sealed record MpiLauncher(string Name, int Rank, int Size, IReadOnlyList<string> Libraries)
{
    private const string Standard = "libmpi_abi.so.0"; // the ABI of MPI 5, which several MPIs offer beside their own

    /// <summary>Finds out who started this process.</summary>
    /// <param name="variable">The value of an environment variable; null without.</param>
    /// <returns>Null where no launcher did.</returns>
    /// <exception cref="DeitException">Slurm started several processes without connecting them.</exception>
    public static MpiLauncher? Find(Func<string, string?> variable)
    {
        if (Number("OMPI_COMM_WORLD_SIZE") is { } size)
            return OpenMpi(Number("OMPI_COMM_WORLD_RANK") ?? 0, size);
        if (Number("PMI_SIZE") is { } ofPmi)
            return new MpiLauncher(
                OperatingSystem.IsWindows() ? "Microsoft MPI" : "MPICH",
                Number("PMI_RANK") ?? 0,
                ofPmi,
                OperatingSystem.IsWindows()
                    ? ["msmpi.dll", "impi.dll"]
                    : ["libmpich.so.12", "libmpi.so.12", "libmpi_cray.so.12", "libmpi_gnu_123.so.12", Standard]
            );
        if (Number("SLURM_STEP_NUM_TASKS") is not { } tasks || tasks <= 1 || Number("SLURM_PROCID") is not { } process)
            return null;
        if (Number("PMIX_RANK") is { } ofPmix)
            return OpenMpi(ofPmix, tasks);
        throw new DeitException(
            DeitErrorKind.Usage,
            $"srun started {tasks} processes, of which this is {process}, without connecting them by MPI, so that each "
                + "would train alone; add --mpi=pmix for Open MPI or --mpi=pmi2 for MPICH, or take -n 1."
        );

        int? Number(string name) =>
            int.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                ? number
                : null;
    }

    private static MpiLauncher OpenMpi(int rank, int size) =>
        new(
            "Open MPI",
            rank,
            size,
            OperatingSystem.IsMacOS() ? ["libmpi.40.dylib", "libmpi.dylib"] : ["libmpi.so.40", "libmpi.so", Standard]
        );
}
