using Deit.Gpu;
using Deit.Train.Data.Randomness;

namespace Deit.Train.Data.Loading;

/// <summary>The order in which an epoch goes through a data set.</summary>
internal interface ISampler
{
    /// <summary>Samples an epoch.</summary>
    int Count { get; }

    /// <summary>Sample numbers; equal epochs give equal orders. A sample may come more than once or not at all.</summary>
    /// <param name="epoch">The epoch.</param>
    int[] Order(int epoch);
}

/// <summary>Every sample once, in an order that seed and epoch decide.</summary>
/// <param name="count">How many samples there are.</param>
/// <param name="seed">The seed of the run.</param>
internal sealed class RandomSampler(int count, ulong seed) : ISampler
{
    /// <inheritdoc/>
    public int Count => count;

    /// <inheritdoc/>
    public int[] Order(int epoch)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        new RandomStream(seed, (uint)epoch, RandomSite.EpochOrder, 0).Shuffle(order.AsSpan());
        return order;
    }
}

/// <summary>Every sample once, first to last.</summary>
/// <param name="count">How many samples there are.</param>
internal sealed class SequentialSampler(int count) : ISampler
{
    /// <inheritdoc/>
    public int Count => count;

    /// <inheritdoc/>
    public int[] Order(int epoch) => [.. Enumerable.Range(0, count)];
}
