namespace Deit.Model.AspNetCore;

/// <summary>What requests to a served model may be, and who may ask. Read when the endpoints are mapped.</summary>
public sealed record DeitServingOptions
{
    /// <summary>Bytes that a body, or a picture of one, is given before any has arrived.</summary>
    internal const int FirstBytes = 16 << 10;

    /// <summary>The most bytes of a request's body; a larger one is answered 413. 32 MiB unless told.</summary>
    public long MaxRequestBytes { get; set; } = 32L << 20;

    /// <summary>
    /// The most pixels of a picture; a larger one is answered 413 when its head is read, before memory is taken for it. 50
    /// million unless told.
    /// </summary>
    public long MaxPixels { get; set; } = 50_000_000;

    /// <summary>The most pictures of a request; more are answered 413. 32 unless told.</summary>
    public int MaxPictures { get; set; } = 32;

    /// <summary>The most requests that are read or wait for an answer; further ones are answered 429. 512 unless told.</summary>
    public int MaxRequests { get; set; } = 512;

    /// <summary>
    /// Bytes that bodies and decoded pictures may hold, half of it each. A body for which there is no room is answered
    /// 429; a picture waits until there is room to decode it. Half of it has room for three bodies of
    /// <see cref="MaxRequestBytes"/>, since a body is held twice while it grows. 1 GiB unless told.
    /// </summary>
    public long MemoryLimit { get; set; } = 1L << 30;

    /// <summary>
    /// How long a request may take. One that has not arrived by then is answered 408, one that waits for its answer 503; the
    /// decoding of a picture that has begun is ended first. 30 s unless told.
    /// </summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Keys, one of which a request for answers or figures must bring, as <c>Authorization: Bearer KEY</c> or
    /// <c>X-API-Key: KEY</c>; else it is answered 401. Without keys everybody may ask.
    /// </summary>
    public IList<string> ApiKeys { get; } = [];

    /// <summary>True to answer <c>GET /</c> with a page for a browser; false where the program has its own.</summary>
    public bool Page { get; set; } = true;

    /// <summary>True to answer <c>GET /health</c> for this model; false where the program has its own checks there.</summary>
    public bool Health { get; set; } = true;

    /// <summary>True to answer <c>GET /metrics</c>; false where the program has its own figures there.</summary>
    public bool Metrics { get; set; } = true;

    /// <summary>The least <see cref="MemoryLimit"/> that the other limits need.</summary>
    internal long LeastMemory => Math.Max(1 << 20, 2 * ((3 * MaxRequestBytes) + (MaxPictures * (long)FirstBytes)));

    /// <summary>Checks the numbers.</summary>
    /// <exception cref="ArgumentException">A number is out of its range, or a key is empty.</exception>
    internal DeitServingOptions Checked()
    {
        Require(MaxRequestBytes is >= 1 and < 1 << 30, nameof(MaxRequestBytes), MaxRequestBytes, "1 to 2^30 - 1");
        Require(MaxPixels is >= 1 and <= 700_000_000, nameof(MaxPixels), MaxPixels, "1 to 700 million");
        Require(MaxPictures is >= 1 and <= 10_000, nameof(MaxPictures), MaxPictures, "1 to 10000");
        Require(MaxRequests is >= 1 and <= 1_000_000, nameof(MaxRequests), MaxRequests, "1 to 1000000");
        Require(
            MemoryLimit >= LeastMemory && MemoryLimit <= 1L << 40,
            nameof(MemoryLimit),
            MemoryLimit,
            FormattableString.Invariant(
                $"{LeastMemory} to 2^40, which has room for a request of {nameof(MaxRequestBytes)}"
            )
        );
        Require(
            Timeout > TimeSpan.Zero && Timeout.TotalDays <= 1,
            nameof(Timeout),
            Timeout,
            "more than 0, up to a day"
        );
        foreach (string key in ApiKeys)
            Require(!string.IsNullOrWhiteSpace(key), nameof(ApiKeys), "an empty key", "keys that are not empty");
        return this;
    }

    private static void Require(bool good, string name, object value, string expected)
    {
        if (!good)
            throw new ArgumentException($"Serving has {name} {value}, expected {expected}; correct the option.");
    }
}
