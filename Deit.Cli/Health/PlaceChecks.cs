using System.Globalization;

namespace Deit.Cli.Health;

/// <summary>Looks at caches, disks and the memory of the host.</summary>
internal static class PlaceChecks
{
    private const long Mebibyte = 1 << 20,
        LittleDisk = 1L << 30,
        NoDisk = 64L << 20,
        LittleMemory = 2L << 30;

    // A cache of a working day has some thousands; whoever has a million waits for no count.
    private const int MostFilesCounted = 200_000;

    /// <summary>The memory that a training can have.</summary>
    /// <param name="total">Bytes of the machine or of its container.</param>
    /// <param name="available">Bytes that are free of it.</param>
    public static Finding Memory(long total, long available)
    {
        Dictionary<string, object?> facts = new() { ["total_bytes"] = total, ["available_bytes"] = available };
        string value = FormattableString.Invariant(
            $"{available / (double)(1 << 30):0.0} of {total / (double)(1 << 30):0.0} GiB free"
        );
        return available >= LittleMemory
            ? Finding.Ok("memory", "host", value, facts)
            : new Finding(
                "memory",
                "host",
                FindingState.Notice,
                value,
                "end other programs, raise the container's limit, or lower --batch-size and --num-workers",
                facts
            );
    }

    /// <summary>The folder of compiled kernels and kernel choices.</summary>
    public static Finding Kernels(string folder, Func<string, bool> canBeWritten) =>
        Cache("kernels", folder, canBeWritten, "DEIT_CACHE", "every start compiles and measures all kernels anew");

    /// <summary>The folder of models of the Hub.</summary>
    public static Finding Hub(string folder, Func<string, bool> canBeWritten) =>
        Cache("hub", folder, canBeWritten, "HF_HUB_CACHE", "models of the Hub cannot be fetched");

    /// <summary>The free space of a disk.</summary>
    /// <param name="name">What is written there.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="free">Bytes; null where the system does not say.</param>
    /// <param name="remedy">What to do where there is little.</param>
    public static Finding Disk(string name, string folder, long? free, string remedy)
    {
        Dictionary<string, object?> facts = new() { ["path"] = folder, ["free_bytes"] = free };
        string value = free is { } bytes
            ? FormattableString.Invariant($"{bytes / (double)(1 << 30):0.0} GiB free in {folder}")
            : $"the system does not say how much is free in {folder}";
        FindingState state =
            free < NoDisk ? FindingState.Wrong
            : free < LittleDisk ? FindingState.Notice
            : FindingState.Ok;
        return new Finding("disk", name, state, value, state == FindingState.Ok ? null : remedy, facts);
    }

    private static Finding Cache(
        string name,
        string folder,
        Func<string, bool> canBeWritten,
        string variable,
        string consequence
    )
    {
        (long bytes, bool all) = SizeOf(folder);
        bool writable = CanBeWritten(folder, canBeWritten);
        Dictionary<string, object?> facts = new()
        {
            ["path"] = folder,
            ["size_bytes"] = bytes,
            ["writable"] = writable,
        };
        string size = (all ? "" : "more than ") + (bytes / Mebibyte).ToString(CultureInfo.InvariantCulture);
        return writable
            ? Finding.Ok("cache", name, $"{folder}, {size} MiB", facts)
            : new Finding(
                "cache",
                name,
                FindingState.Notice,
                $"{folder} cannot be written: {consequence}",
                $"set {variable} to a folder that can be written and stays",
                facts
            );
    }

    // A folder is not made by looking at it: the nearest one above it that is there tells.
    private static bool CanBeWritten(string folder, Func<string, bool> canBeWritten)
    {
        for (string? at = Path.GetFullPath(folder); at is not null; at = Path.GetDirectoryName(at))
            if (Path.Exists(at))
                return Directory.Exists(at) && canBeWritten(at);
        return false;
    }

    // Links of snapshots lead to contents that are counted by themselves.
    private static (long Bytes, bool All) SizeOf(string folder)
    {
        long bytes = 0;
        int files = 0;
        try
        {
            EnumerationOptions options = new()
            {
                RecurseSubdirectories = true,
                IgnoreInaccessible = true,
                AttributesToSkip = FileAttributes.ReparsePoint,
            };
            if (Directory.Exists(folder))
                foreach (FileInfo file in new DirectoryInfo(folder).EnumerateFiles("*", options))
                {
                    if (++files > MostFilesCounted)
                        return (bytes, false);
                    bytes += file.Length;
                }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A file went away while it was looked at.
        }
        return (bytes, true);
    }
}
