namespace Deit.Train.Data.Loading;

/// <summary>
/// Repeated augmentation (Hoffer et al., arXiv 1901.09335; Berman et al., arXiv 1902.05509). Every sample comes three
/// times, each time augmented anew. The epoch is no longer for it, so that it sees about a third of the samples.
/// </summary>
/// <remarks>
/// <para>
/// The reference's RASampler repeats each index of a permutation three times in a row, deals the list out to its
/// processes in turn, and lets each take floor(N // 256 * 256 / processes) of its hand. Position k of process r is
/// therefore position k * processes + r of the list. The samples that all processes together see in a step are a run of
/// the list, and one process with the batch of all of them sees the same pictures. Copies of a picture are dealt to
/// different processes there. Here they lie in one batch, or in two successive ones at a batch's end.
/// </para>
/// <para>Below 256 samples the reference's formula leaves none; here the epoch is then N long.</para>
/// </remarks>
/// <param name="count">N, how many samples there are.</param>
/// <param name="seed">The seed of the run.</param>
internal sealed class RepeatedAugmentationSampler(int count, ulong seed) : ISampler
{
    private const int Repeats = 3,
        Granularity = 256;

    /// <inheritdoc/>
    public int Count => count < Granularity ? count : count / Granularity * Granularity;

    /// <inheritdoc/>
    public int[] Order(int epoch) => Order(epoch, rank: 0, worldSize: 1);

    /// <summary>The order in which one of several processes would go through the samples.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="rank">Which process.</param>
    /// <param name="worldSize">How many processes there are.</param>
    public int[] Order(int epoch, int rank, int worldSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(worldSize);
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rank, worldSize);
        int[] permutation = new RandomSampler(count, seed).Order(epoch),
            order = new int[Count / worldSize];
        // At most a third of the list is used, so that the padding that makes the hands equal is never reached.
        for (int k = 0; k < order.Length; k++)
            order[k] = permutation[(int)((((long)k * worldSize) + rank) / Repeats)];
        return order;
    }
}
