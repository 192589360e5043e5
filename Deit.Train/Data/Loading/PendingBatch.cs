namespace Deit.Train.Data.Loading;

/// <summary>A batch that workers are filling.</summary>
internal sealed class PendingBatch
{
    private const int Unreadable = -1;
    private readonly int _count;

    public PendingBatch(BatchMemory memory, int count)
    {
        (Memory, _count, Left) = (memory, count, count);
        Array.Fill(memory.Indices, Unreadable);
    }

    /// <summary>Where the samples are written.</summary>
    public BatchMemory Memory { get; }

    /// <summary>Rows not done yet. The owner of the batch guards the number.</summary>
    public int Left { get; set; }

    /// <summary>When the memory could be written, by the clock of <see cref="System.Diagnostics.Stopwatch"/>; 0 while it cannot.</summary>
    public long FreeSince { get; set; }

    /// <summary>Closes the gaps that unreadable samples left; how many rows remain.</summary>
    public int Compact()
    {
        int[] indices = Memory.Indices;
        int kept = Array.IndexOf(indices, Unreadable, 0, _count);
        if (kept < 0)
            return _count;
        Span<float> images = Memory.Images;
        Span<uint> labels = Memory.Labels;
        int length = images.Length / indices.Length;
        for (int row = kept + 1; row < _count; row++)
        {
            if (indices[row] == Unreadable)
                continue;
            images.Slice(row * length, length).CopyTo(images[(kept * length)..]);
            (labels[kept], indices[kept]) = (labels[row], indices[row]);
            kept++;
        }
        return kept;
    }
}
