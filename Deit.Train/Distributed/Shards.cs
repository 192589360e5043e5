namespace Deit.Train.Distributed;

/// <summary>
/// How the trained parameters are divided among ranks, so that each updates a part of them and keeps what the optimiser
/// needs for that part alone (Rajbhandari et al., "ZeRO: Memory optimizations toward training trillion parameter models",
/// arXiv 1910.02054, stage 1). Each bucket has a part for each rank.
/// </summary>
internal sealed class Shards
{
    private readonly World _world;
    private float[] _sent = [],
        _all = []; // kept from one gathering to the next
    private readonly IReadOnlyList<FlatRange> _buckets;

    /// <summary>Divides.</summary>
    /// <param name="world">The ranks.</param>
    /// <param name="buckets">How the vector of all parameters is cut.</param>
    public Shards(World world, IReadOnlyList<FlatRange> buckets)
    {
        (_world, _buckets) = (world, buckets);
        Own = [.. buckets.Select(bucket => bucket.PartOf(world.Rank, world.Size)).Where(part => part.Count > 0)];
        OwnLength = Own.Sum(part => part.Count);
        Length = buckets.Max(bucket => bucket.End);
    }

    /// <summary>The parts of this rank, in the order of the buckets.</summary>
    public IReadOnlyList<FlatRange> Own { get; }

    /// <summary>Elements of these parts.</summary>
    public int OwnLength { get; }

    /// <summary>Elements of the whole.</summary>
    public int Length { get; }

    /// <summary>Whether this is rank 0, which alone writes checkpoints.</summary>
    public bool IsFirst => _world.IsFirst;

    /// <summary>Gathers the parts of all ranks; all of them call it.</summary>
    /// <param name="own">The parts of this rank, one behind the other.</param>
    /// <param name="whole">[Length], receives the whole, the same on every rank.</param>
    /// <param name="purpose">What for, as a message says it.</param>
    /// <exception cref="DeitException">A rank has ended, or did not come in time.</exception>
    public void Gather(ReadOnlySpan<float> own, Span<float> whole, string purpose)
    {
        int largest = _buckets.Max(bucket => FlatRange.PartLength(bucket.Count, _world.Size));
        if (_sent.Length < largest)
            (_sent, _all) = (new float[largest], new float[checked(largest * _world.Size)]);
        int at = 0;
        foreach (FlatRange bucket in _buckets)
        {
            int count = bucket.PartOf(_world.Rank, _world.Size).Count,
                part = FlatRange.PartLength(bucket.Count, _world.Size);
            own.Slice(at, count).CopyTo(_sent);
            at += count;
            Span<float> all = _all.AsSpan(0, part * _world.Size);
            _world.AllGather<float>(_sent.AsSpan(0, part), all, purpose);
            all[..bucket.Count].CopyTo(whole[bucket.Start..]);
        }
    }

    /// <summary>The parts of this rank out of the whole.</summary>
    public float[] OwnOf(ReadOnlySpan<float> whole)
    {
        float[] own = new float[OwnLength];
        int at = 0;
        foreach (FlatRange part in Own)
        {
            whole.Slice(part.Start, part.Count).CopyTo(own.AsSpan(at));
            at += part.Count;
        }
        return own;
    }
}
