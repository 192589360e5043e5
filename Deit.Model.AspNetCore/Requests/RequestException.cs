namespace Deit.Model.AspNetCore;

/// <summary>A request, or one of its pictures, that is answered with a problem.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">One sentence for the client.</param>
/// <param name="retryAfter">Seconds after which the same request may succeed; 0 where it will not.</param>
internal sealed class RequestException(int status, string message, int retryAfter = 0) : Exception(message)
{
    public int Status { get; } = status;

    public int RetryAfter { get; } = retryAfter;
}
