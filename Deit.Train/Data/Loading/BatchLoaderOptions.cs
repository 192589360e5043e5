namespace Deit.Train.Data.Loading;

/// <summary>How a <see cref="BatchLoader"/> works.</summary>
internal sealed record BatchLoaderOptions
{
    /// <summary>B, samples a batch.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>
    /// True: only whole batches (drop_last), and in place of a sample that cannot be read comes the next readable one of the epoch's order.
    /// False: the last batch may be smaller, and samples that cannot be read are left out.
    /// </summary>
    public bool Training { get; init; }

    /// <summary>Threads that decode; 0 is one a core.</summary>
    public int Workers { get; init; }

    /// <summary>Batches that may be decoded, or be about to be, before the consumer asks for them.</summary>
    public int BatchesAhead { get; init; } = 2;
}
