namespace Deit.Model;

/// <summary>Why a model of the Hugging Face Hub could not be had, coarse enough to decide how to go on.</summary>
public enum HubErrorKind
{
    /// <summary>The name is none of a repository, or an environment variable for the Hub has a value that makes no sense.</summary>
    Name,

    /// <summary>The Hub has no such repository, revision or file.</summary>
    NotFound,

    /// <summary>The repository is private or gated, and the token does not open it.</summary>
    Access,

    /// <summary>HF_HUB_OFFLINE is set, and the cache does not have the model.</summary>
    Offline,

    /// <summary>The Hub could not be reached, or the connection broke again and again.</summary>
    Network,

    /// <summary>The server answers otherwise than the Hub does, or not now.</summary>
    Server,

    /// <summary>What the server sent is not the file that it announced.</summary>
    Damaged,

    /// <summary>The cache cannot be written, or has not enough space.</summary>
    Disk,
}

/// <summary>
/// A model of the Hugging Face Hub could not be had. What was fetched before stays, and the next call goes on from there.
/// </summary>
/// <param name="kind">The kind of failure.</param>
/// <param name="message">One sentence with the operation, what the server said, and the remedy.</param>
/// <param name="status">The HTTP status that the server answered; 0 where it answered none.</param>
/// <param name="inner">The exception behind it.</param>
public sealed class HubException(HubErrorKind kind, string message, int status = 0, Exception? inner = null)
    : DeitException(Of(kind), message, inner)
{
    /// <summary>Why the model could not be had, in more detail than <see cref="DeitException.Kind"/>.</summary>
    public HubErrorKind Reason { get; } = kind;

    /// <summary>The HTTP status that the server answered; 0 where it answered none.</summary>
    public int Status { get; } = status;

    private static DeitErrorKind Of(HubErrorKind kind) =>
        kind switch
        {
            HubErrorKind.Name => DeitErrorKind.Usage,
            HubErrorKind.Disk => DeitErrorKind.Output,
            _ => DeitErrorKind.Network,
        };
}
