using Microsoft.AspNetCore.Http;

namespace Deit.Model.AspNetCore;

/// <summary>Bytes that the bodies of all requests may hold together. Thread-safe.</summary>
/// <param name="limit">The most bytes.</param>
internal sealed class ByteBudget(long limit)
{
    private long _held;

    /// <summary>Bytes that are held now.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <summary>Takes bytes, to be given back once.</summary>
    /// <param name="bytes">How many.</param>
    /// <exception cref="RequestException">There is no room: 429.</exception>
    public void Take(long bytes)
    {
        if (Interlocked.Add(ref _held, bytes) <= limit)
            return;
        Give(bytes);
        throw new RequestException(
            StatusCodes.Status429TooManyRequests,
            "The request was not read, because the bodies of others fill the memory for them; try again in a moment.",
            retryAfter: 1
        );
    }

    /// <summary>Gives bytes back.</summary>
    public void Give(long bytes) => Interlocked.Add(ref _held, -bytes);
}
