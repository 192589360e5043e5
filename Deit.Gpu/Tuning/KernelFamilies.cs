namespace Deit.Gpu;

/// <summary>What this process has learned of keys that differ in size alone: see <see cref="KernelTrial.Family"/>.</summary>
internal sealed class KernelFamilies
{
    // A candidate that is so many times as fast as all others at one size need only be compared with the reference at
    // others. There it stays where nothing is much faster, since a small size tells less than a large difference.
    private const double ClearRatio = 1.5,
        StayRatio = 1.25;
    private readonly Dictionary<string, string> _last = [];
    private readonly Dictionary<string, (string Winner, HashSet<string> Beaten)> _clear = [];

    /// <summary>Notes what was chosen for a size.</summary>
    public void Choose(string? family, string name)
    {
        if (family is not null)
            _last[family] = name;
    }

    /// <summary>Notes the times of all candidates of a size.</summary>
    /// <param name="family">The family; null for none.</param>
    /// <param name="times">Names and milliseconds.</param>
    /// <param name="reference">The candidate that is measured in any case, and so is no winner that spares measurements.</param>
    public void Measure(string? family, IReadOnlyList<(string Name, double Milliseconds)> times, string reference)
    {
        if (family is null || times.Count < 2)
            return;
        (string Name, double Milliseconds)[] ordered = [.. times.OrderBy(entry => entry.Milliseconds)];
        if (ordered[0].Name != reference && ordered[1].Milliseconds >= ClearRatio * ordered[0].Milliseconds)
            _clear.TryAdd(family, (ordered[0].Name, [.. times.Select(entry => entry.Name)]));
    }

    /// <summary>The kernel that was chosen last for a size of the family; null where there is none.</summary>
    public string? LastOf(string? family) => family is null ? null : _last.GetValueOrDefault(family);

    /// <summary>The candidate that was far ahead of all these at another size; null where there is none.</summary>
    public string? ClearOf(string? family, IReadOnlyList<string> candidates) =>
        family is not null
        && _clear.TryGetValue(family, out (string Winner, HashSet<string> Beaten) clear)
        && candidates.Contains(clear.Winner)
        && candidates.All(clear.Beaten.Contains)
            ? clear.Winner
            : null;

    /// <summary>Whether such a candidate stays the choice at a size where the fastest takes so long.</summary>
    public static bool Stays(double milliseconds, double fastest) => milliseconds <= StayRatio * fastest;
}
