namespace Deit.Cli.Health;

/// <summary>How good a finding is.</summary>
internal enum FindingState
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>It works, and the user may want to know.</summary>
    Notice,

    /// <summary>It does not work.</summary>
    Wrong,
}

/// <summary>One thing that <c>deit doctor</c> looked at. Areas and names are stable: programs look for them.</summary>
/// <param name="Area">What it belongs to: vulkan, device, memory, cache, disk, limits, program or environment.</param>
/// <param name="Name">The thing itself.</param>
/// <param name="State">How good it is.</param>
/// <param name="Value">What was found.</param>
/// <param name="Remedy">What to do about it; null where there is nothing to do.</param>
/// <param name="Facts">Figures for programs.</param>
internal sealed record Finding(
    string Area,
    string Name,
    FindingState State,
    string Value,
    string? Remedy = null,
    IReadOnlyDictionary<string, object?>? Facts = null
)
{
    /// <summary>A finding that is as it should be.</summary>
    public static Finding Ok(
        string area,
        string name,
        string value,
        IReadOnlyDictionary<string, object?>? facts = null
    ) => new(area, name, FindingState.Ok, value, null, facts);
}
