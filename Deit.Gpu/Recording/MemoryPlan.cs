namespace Deit.Gpu;

/// <summary>Places storages that live for part of a graph so that those alive at the same time never overlap.</summary>
/// <remarks>
/// The largest storage comes first. Each is put into the smallest gap among the placed ones that live at the same time.
/// This greedy method stays within a few percent of the largest live set on transformer graphs (the tests hold it to 10
/// %).
/// </remarks>
internal sealed class MemoryPlan
{
    /// <summary>A storage's size in bytes and the first and last dispatch that touch it.</summary>
    public readonly record struct Lifetime(long Bytes, int First, int Last)
    {
        public bool Meets(Lifetime other) => First <= other.Last && other.First <= Last;
    }

    /// <summary>Where a storage lies: which block, at which byte.</summary>
    public readonly record struct Place(int Block, long Offset);

    private MemoryPlan(Place[] places, long[] blockBytes, long liveBytes) =>
        (Places, BlockBytes, LiveBytes) = (places, blockBytes, liveBytes);

    /// <summary>One place for each lifetime, in their order.</summary>
    public Place[] Places { get; }

    /// <summary>The size of each block.</summary>
    public long[] BlockBytes { get; }

    /// <summary>The bytes of all blocks.</summary>
    public long PlannedBytes => BlockBytes.Sum();

    /// <summary>The largest sum of bytes alive at one dispatch: no plan can take less.</summary>
    public long LiveBytes { get; }

    /// <summary>
    /// Lets each lifetime last to the next barrier after it, where that takes no more memory than the largest live set.
    /// Memory is then used again behind barriers that stand there in any case. New barriers stand only where memory is
    /// shortest.
    /// </summary>
    /// <param name="lifetimes">By dispatches.</param>
    /// <param name="barrierBefore">True at each dispatch that waits for all before it, with tensors in any
    /// place.</param>
    public static Lifetime[] ToBarriers(ReadOnlySpan<Lifetime> lifetimes, ReadOnlySpan<bool> barrierBefore)
    {
        Lifetime[] longer = lifetimes.ToArray();
        if (longer.Length == 0)
            return longer;
        long[] live = LiveSets(longer);
        long largest = live.Max();
        foreach (ref Lifetime item in longer.AsSpan())
        {
            int end = item.Last + 1;
            while (end < live.Length && !barrierBefore[end] && live[end] + item.Bytes <= largest)
                end++;
            if (end < live.Length && !barrierBefore[end])
                continue;
            for (int at = item.Last + 1; at < end; at++)
                live[at] += item.Bytes;
            item = item with { Last = end - 1 };
        }
        return longer;
    }

    /// <summary>Plans.</summary>
    /// <param name="lifetimes">The tensors to place.</param>
    /// <param name="blockLimit">The largest block in bytes.</param>
    /// <param name="guardBytes">Untouched bytes before and after each storage; above 0, nothing is reused (for tests).</param>
    /// <exception cref="GpuException">One storage alone exceeds <paramref name="blockLimit"/>.</exception>
    public static MemoryPlan Create(ReadOnlySpan<Lifetime> lifetimes, long blockLimit, long guardBytes = 0)
    {
        Lifetime[] items = lifetimes.ToArray();
        guardBytes = Storage.Align(guardBytes);
        Place[] places = new Place[items.Length];
        int[] order =
        [
            .. Enumerable
                .Range(0, items.Length)
                .OrderByDescending(i => items[i].Bytes)
                .ThenBy(i => items[i].First)
                .ThenBy(i => i),
        ];
        List<List<int>> blocks = [];
        List<long> blockBytes = [];
        foreach (int item in order)
        {
            long bytes = Storage.Align(items[item].Bytes) + (2 * guardBytes);
            if (bytes > blockLimit)
                throw new GpuException(
                    GpuErrorKind.Limit,
                    $"A graph needs one tensor of {items[item].Bytes} bytes, the device allocates at most "
                        + $"{blockLimit} at once; lower the batch size."
                );
            int block = 0;
            long offset;
            for (; ; block++)
            {
                if (block == blocks.Count)
                {
                    blocks.Add([]);
                    blockBytes.Add(0);
                }
                offset = FirstGap(items, places, blocks[block], item, bytes, guardBytes);
                if (offset + bytes <= blockLimit)
                    break;
            }
            places[item] = new Place(block, offset + guardBytes);
            blocks[block].Add(item);
            blockBytes[block] = Math.Max(blockBytes[block], offset + bytes);
        }
        return new MemoryPlan(places, [.. blockBytes], items.Length == 0 ? 0 : LiveSets(items).Max());
    }

    // The smallest gap that holds the bytes between storages of the block that live at the same time.
    private static long FirstGap(
        Lifetime[] items,
        Place[] places,
        List<int> block,
        int item,
        long bytes,
        long guardBytes
    )
    {
        List<(long Start, long End)> taken = [];
        foreach (int other in block)
            if (guardBytes > 0 || items[other].Meets(items[item]))
                taken.Add(
                    (
                        places[other].Offset - guardBytes,
                        places[other].Offset + Storage.Align(items[other].Bytes) + guardBytes
                    )
                );
        taken.Sort();
        long best = -1,
            bestGap = long.MaxValue,
            cursor = 0;
        foreach ((long start, long end) in taken)
        {
            long gap = start - cursor;
            if (gap >= bytes && gap < bestGap)
                (best, bestGap) = (cursor, gap);
            cursor = Math.Max(cursor, end);
        }
        return best >= 0 ? best : cursor;
    }

    // The bytes alive at each dispatch.
    private static long[] LiveSets(Lifetime[] items)
    {
        long[] live = new long[items.Max(item => item.Last) + 1];
        foreach (Lifetime item in items)
            for (int at = item.First; at <= item.Last; at++)
                live[at] += item.Bytes;
        return live;
    }
}
