namespace Deit.Train.Distributed;

/// <summary>
/// The sum of the gradients of an update in one bucket: over the micro-batches of a rank, and over the ranks. Where a rank
/// needs its <see cref="FlatRange.PartOf"/> alone, it receives that, and the rest is undefined.
/// </summary>
internal interface IGradientSum
{
    /// <summary>Adds the gradients of the next micro-batch of this rank.</summary>
    /// <param name="microBatch">Its number within the update.</param>
    /// <param name="values">Its gradients.</param>
    void Add(int microBatch, ReadOnlySpan<float> values);

    /// <summary>Sums over all ranks, and begins anew. All ranks call it.</summary>
    /// <param name="sum">Receives the sum.</param>
    /// <exception cref="DeitException">A rank has ended, or did not come in time.</exception>
    void Take(Span<float> sum);
}
