namespace Deit.Train.Distributed;

/// <summary>
/// A range of the flat vector of all trained parameters, of their gradients, and of what an optimiser keeps for each.
/// </summary>
/// <param name="Start">The first element.</param>
/// <param name="Count">How many.</param>
internal readonly record struct FlatRange(int Start, int Count)
{
    /// <summary>
    /// Elements to whose multiples a vector is cut. An optimiser's mask has a value of 4 bytes for each 64 elements, so that
    /// its part then begins at a multiple of 256 bytes, where every device can bind it.
    /// </summary>
    public const int Unit = 4096;

    /// <summary>The element behind the last.</summary>
    public int End => Start + Count;

    /// <summary>
    /// Cuts a vector into buckets of nearly equal size, the last first: a backward pass computes the gradients from the last
    /// layer to the first.
    /// </summary>
    /// <param name="length">Elements of the vector.</param>
    /// <param name="bytes">What a bucket has at least, of 4 bytes an element; 0 for one bucket.</param>
    public static FlatRange[] Buckets(int length, long bytes)
    {
        long units = ((long)length + Unit - 1) / Unit,
            count = bytes == 0 ? 1 : Math.Clamp((long)length * sizeof(float) / bytes, 1, units);
        FlatRange[] buckets = new FlatRange[count];
        for (long i = 0; i < count; i++)
        {
            int start = (int)(units * i / count * Unit),
                end = (int)Math.Min(units * (i + 1) / count * Unit, length);
            buckets[count - 1 - i] = new FlatRange(start, end - start);
        }
        return buckets;
    }

    /// <summary>
    /// The part of one of several ranks. The first ones are of <see cref="PartLength"/>, the last may be shorter or empty.
    /// </summary>
    /// <param name="rank">The rank.</param>
    /// <param name="ranks">How many there are.</param>
    public FlatRange PartOf(int rank, int ranks)
    {
        int part = PartLength(Count, ranks),
            start = (int)Math.Min((long)rank * part, Count);
        return new FlatRange(Start + start, Math.Min(part, Count - start));
    }

    /// <summary>Elements of a rank's part.</summary>
    /// <param name="count">Elements of the range.</param>
    /// <param name="ranks">How many share it.</param>
    public static int PartLength(int count, int ranks) => ((count + ranks - 1) / ranks + Unit - 1) / Unit * Unit;
}
