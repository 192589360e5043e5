using System.Globalization;

namespace Deit.Train.Training;

/// <summary>
/// Asks for the machine's memory before it is taken. Systems promise more than they have, and later end the process or
/// swap.
/// </summary>
internal static class HostMemory
{
    /// <summary>Bytes that can still be used without swapping, within the limit of a container.</summary>
    public static long Available()
    {
        long free = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - Environment.WorkingSet;
        return Math.Max(0, OperatingSystem.IsLinux() ? Math.Min(free, KernelAvailable() ?? free) : free);
    }

    /// <summary>Refuses to go on where memory does not suffice.</summary>
    /// <param name="bytes">The bytes that will be taken.</param>
    /// <param name="purpose">Their purpose, for the message.</param>
    /// <exception cref="DeitException">There is less.</exception>
    public static void Require(long bytes, string purpose)
    {
        long available = Available();
        if (bytes > available)
            throw new DeitException(
                DeitErrorKind.Memory,
                $"Not enough memory for {purpose}: {bytes >> 20} MiB needed, {available >> 20} MiB free; "
                    + "lower --batch-size or --input-size, or end other programs."
            );
    }

    // The kernel's own estimate. It knows of other processes and of caches that it would drop.
    private static long? KernelAvailable()
    {
        const string Name = "MemAvailable:";
        try
        {
            return
                File.ReadLines("/proc/meminfo").FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal))
                    is { } line
                && long.TryParse(
                    line[Name.Length..].Replace("kB", "", StringComparison.Ordinal),
                    NumberStyles.Integer,
                    CultureInfo.InvariantCulture,
                    out long kilobytes
                )
                ? kilobytes << 10
                : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Without the estimate the share of other processes is not known, which is no reason to refuse.
            return null;
        }
    }
}
