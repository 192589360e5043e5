using Deit.Model.Images;

namespace Deit.Train.Data.Formats;

/// <summary>
/// Keeps the row groups that were used last, up to a number of bytes. Thread-safe; a group that several ask for is read once.
/// </summary>
/// <param name="limit">Bytes of images to keep; the group used last stays even where it alone has more.</param>
/// <param name="read">Reads a group: the encoded images, null where there is none.</param>
internal sealed class RowGroupCache(long limit, Func<int, byte[]?[]> read)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, Entry> _entries = [];
    private readonly LinkedList<int> _byUse = []; // the last one used in front
    private long _bytes;

    /// <summary>Bytes kept now.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
                return _bytes;
        }
    }

    /// <summary>The images of a group.</summary>
    /// <exception cref="ImageException">It cannot be read.</exception>
    public byte[]?[] Get(int group)
    {
        Entry? entry;
        lock (_lock)
        {
            if (_entries.TryGetValue(group, out entry))
                _byUse.Remove(entry.Place);
            else
                _entries.Add(
                    group,
                    entry = new Entry(new Lazy<byte[]?[]>(() => read(group)), new LinkedListNode<int>(group))
                );
            _byUse.AddFirst(entry.Place);
        }
        try
        {
            byte[]?[] images = entry.Images.Value; // other threads wait here for the one that reads
            Count(group, entry, images);
            return images;
        }
        catch
        {
            // The next request tries anew: the failure may have been that of a disk which was away for a time.
            lock (_lock)
                Remove(group, entry);
            throw;
        }
    }

    private void Count(int group, Entry entry, byte[]?[] images)
    {
        lock (_lock)
        {
            if (entry.Bytes is not null || !_entries.TryGetValue(group, out Entry? current) || current != entry)
                return;
            entry.Bytes = images.Sum(image => (long)(image?.Length ?? 0));
            _bytes += entry.Bytes.Value;
            for (
                LinkedListNode<int>? place = _byUse.Last;
                place is not null && place != _byUse.First && _bytes > limit;

            )
            {
                (int oldest, place) = (place.Value, place.Previous);
                // A group that is being read stays, since its reader holds its memory in any case.
                if (_entries[oldest].Bytes is not null)
                    Remove(oldest, _entries[oldest]);
            }
        }
    }

    private void Remove(int group, Entry entry)
    {
        if (!_entries.TryGetValue(group, out Entry? current) || current != entry)
            return;
        _entries.Remove(group);
        _byUse.Remove(entry.Place);
        _bytes -= entry.Bytes ?? 0;
    }

    private sealed class Entry(Lazy<byte[]?[]> images, LinkedListNode<int> place)
    {
        public Lazy<byte[]?[]> Images { get; } = images;

        public LinkedListNode<int> Place { get; } = place;

        public long? Bytes { get; set; } // null until read
    }
}
