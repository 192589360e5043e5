namespace Deit.Model.Hub;

/// <summary>Something that may be better in a moment: it is tried again.</summary>
/// <param name="reason">What happened, a clause that follows a colon.</param>
/// <param name="kind">The kind of error where it stays so.</param>
/// <param name="status">The status that the server answered; 0 for none.</param>
/// <param name="wait">How long the server asks to wait; null where it does not say.</param>
/// <param name="inner">The exception behind it.</param>
internal sealed class HubInterruption(
    string reason,
    HubErrorKind kind = HubErrorKind.Network,
    int status = 0,
    TimeSpan? wait = null,
    Exception? inner = null
) : Exception(reason, inner)
{
    // A server may ask for hours.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    /// <summary>The kind of error where it stays so.</summary>
    public HubErrorKind Kind { get; } = kind;

    /// <summary>True where it is of no use to try again now.</summary>
    public bool IsTooLong => wait > LongestWait;

    /// <summary>How long to pause before the next attempt: 1, 2, 4, ... seconds, or as long as the server asks.</summary>
    /// <param name="failures">Attempts that failed one after another.</param>
    public TimeSpan Pause(int failures)
    {
        TimeSpan own = TimeSpan.FromSeconds(Math.Min(1 << Math.Min(failures - 1, 5), 30));
        return wait > own ? wait.Value : own;
    }

    /// <summary>The error where it stays so.</summary>
    /// <param name="where">The repository and file.</param>
    /// <param name="isKept">Whether the next attempt goes on with what came.</param>
    public HubException Final(string where, bool isKept = true)
    {
        string remedy = IsTooLong
            ? $"the server asks to wait {wait!.Value.TotalSeconds:0} s, try again then"
            : (Kind == HubErrorKind.Network ? "check the connection and HF_ENDPOINT and try again" : "try again later")
                + (isKept ? ", what was fetched is kept" : "");
        return new HubException(Kind, $"Fetching {where} failed: {Message}; {remedy}.", status, this);
    }
}
