namespace Deit.Train.Distributed;

/// <summary>
/// The micro-batches of an update, and which rank computes which. An update has the same M of them whatever the number of
/// ranks: a rank takes a run of neighbours. The result of a training therefore depends on M and not on the ranks, but for batch norm.
/// </summary>
internal sealed class MicroBatches
{
    private readonly int[] _starts; // one for each rank, and the end

    /// <summary>Deals the micro-batches out by shares.</summary>
    /// <param name="count">M, micro-batches of an update.</param>
    /// <param name="shares">The share of each rank, as 3 and 1; their sum divides M, unless all are equal.</param>
    /// <exception cref="DeitException">There are more ranks than micro-batches, or the shares do not fit.</exception>
    public MicroBatches(int count, IReadOnlyList<int> shares)
    {
        Count = count;
        int ranks = shares.Count,
            sum = shares.Sum();
        if (ranks > count)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"This run has {count} micro-batch{(count == 1 ? "" : "es")} an update, which {ranks} ranks cannot share; "
                    + $"start it with at most {count}."
            );
        if (shares.Distinct().Count() > 1 && count % sum != 0)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Shares of {string.Join(',', shares)} were asked for, an update has {count} micro-batches, which {sum} does "
                    + $"not divide; give shares whose sum divides {count}, or start with another --accum-steps."
            );
        _starts = new int[ranks + 1];
        long before = 0;
        for (int rank = 0; rank < ranks; rank++)
        {
            before += shares[rank];
            _starts[rank + 1] = (int)(before * count / sum);
        }
    }

    private MicroBatches(int[] starts) => (_starts, Count) = (starts, starts[^1]);

    /// <summary>
    /// Deals the micro-batches out so that the rank that needs longest for its own is done as early as can be. Each rank
    /// takes one at least; every further one goes to the rank that would be done first with it, of equals the first.
    /// </summary>
    /// <param name="count">M, micro-batches of an update, at least one for each rank.</param>
    /// <param name="seconds">What a micro-batch takes on each rank.</param>
    public static MicroBatches BySpeed(int count, IReadOnlyList<double> seconds)
    {
        int[] taken = [.. Enumerable.Repeat(1, seconds.Count)];
        for (int left = count - taken.Length; left > 0; left--)
            taken[Enumerable.Range(0, taken.Length).MinBy(rank => (taken[rank] + 1) * seconds[rank])]++;
        int[] starts = new int[taken.Length + 1];
        for (int rank = 0; rank < taken.Length; rank++)
            starts[rank + 1] = starts[rank] + taken[rank];
        return new MicroBatches(starts);
    }

    /// <summary>M, micro-batches of an update.</summary>
    public int Count { get; }

    /// <summary>The run of a rank: its first micro-batch, and the one behind its last.</summary>
    public (int Start, int End) Of(int rank) => (_starts[rank], _starts[rank + 1]);

    /// <summary>Whether a rank computes a micro-batch.</summary>
    /// <param name="rank">The rank.</param>
    /// <param name="microBatch">The micro-batch, 0 to M - 1.</param>
    public bool IsOf(int rank, int microBatch) => microBatch >= _starts[rank] && microBatch < _starts[rank + 1];
}
