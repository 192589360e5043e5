using System.Diagnostics.Metrics;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Deit.Model.AspNetCore;

/// <summary>What the endpoints of a program share: its limits and what is taken of them, its keys, its figures.</summary>
internal sealed class ServingState : IDisposable
{
    private const int Kibi = 1024;

    private readonly ConcurrencyLimiter _requests,
        _decoded;
    private readonly int _decodedLimit;
    private long _decodedSinceCollection;

    /// <summary>Takes the options.</summary>
    /// <param name="options">The options.</param>
    /// <param name="meters">Makes the meters of this program.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public ServingState(IOptions<DeitServingOptions> options, IMeterFactory meters)
    {
        Options = options.Value.Checked();
        Keys = new ApiKeys(Options.ApiKeys);
        Bodies = new ByteBudget(Options.MemoryLimit / 2);
        Reader = new PictureReader(Bodies, Options.MaxPictures);
        Metrics = new MetricsText(meters);
        _requests = new ConcurrencyLimiter(
            new ConcurrencyLimiterOptions { PermitLimit = Options.MaxRequests, QueueLimit = 0 }
        );
        _decodedLimit = (int)(Options.MemoryLimit / 2 / Kibi);
        _decoded = new ConcurrencyLimiter(
            new ConcurrencyLimiterOptions
            {
                PermitLimit = _decodedLimit,
                QueueLimit = int.MaxValue,
                QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
            }
        );
    }

    public DeitServingOptions Options { get; }

    public ApiKeys Keys { get; }

    public PictureReader Reader { get; }

    public MetricsText Metrics { get; }

    /// <summary>Memory of bodies.</summary>
    public ByteBudget Bodies { get; }

    /// <summary>A place among the requests under way, to be disposed once.</summary>
    /// <exception cref="RequestException">There is none: 429.</exception>
    public RateLimitLease Enter()
    {
        RateLimitLease place = _requests.AttemptAcquire();
        if (place.IsAcquired)
            return place;
        place.Dispose();
        throw new RequestException(
            StatusCodes.Status429TooManyRequests,
            $"{Options.MaxRequests} requests are under way, the most there may be; try again in a moment.",
            retryAfter: 1
        );
    }

    /// <summary>Waits for memory for a decoded picture, the oldest first; to be disposed once.</summary>
    /// <param name="bytes">How much. A picture that needs more than there is waits for all.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <exception cref="RequestException">Too many wait: 429.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<RateLimitLease> RoomAsync(long bytes, CancellationToken cancellation)
    {
        int share = (int)Math.Clamp(bytes / Kibi, 1, _decodedLimit);
        RateLimitLease room = await _decoded.AcquireAsync(share, cancellation).ConfigureAwait(false);
        if (room.IsAcquired)
        {
            CountGarbage(bytes);
            return room;
        }
        room.Dispose();
        throw new RequestException(
            StatusCodes.Status429TooManyRequests,
            "Too many pictures wait to be decoded; try again in a moment.",
            retryAfter: 1
        );
    }

    // Pixels are large objects, which the runtime collects the later the larger they have been: after some pictures of
    // telephones it would let gigabytes of them lie. They are collected when as much was decoded as memory is allowed.
    private void CountGarbage(long bytes)
    {
        if (Interlocked.Add(ref _decodedSinceCollection, bytes) < Options.MemoryLimit / 2)
            return;
        if (Interlocked.Exchange(ref _decodedSinceCollection, 0) >= Options.MemoryLimit / 2)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
    }

    /// <summary>Permits that are taken, for tests: of requests, and KiB of decoded pictures.</summary>
    internal (long Requests, long Decoded) Taken =>
        (
            Options.MaxRequests - _requests.GetStatistics()!.CurrentAvailablePermits,
            _decodedLimit - _decoded.GetStatistics()!.CurrentAvailablePermits
        );

    public void Dispose()
    {
        Metrics.Dispose();
        _requests.Dispose();
        _decoded.Dispose();
    }
}
