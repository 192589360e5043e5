using Deit.Train.Options;

namespace Deit.Train.Distributed;

/// <summary>The sums of an update's gradients over all micro-batches and ranks, bucket by bucket.</summary>
internal sealed class GradientExchange
{
    private readonly World _world;
    private readonly GradientReduction _reduction;
    private readonly bool _partsOnly;
    private readonly IGradientSum[] _sums;

    /// <summary>Asks for the memory.</summary>
    /// <param name="world">The ranks.</param>
    /// <param name="microBatches">Who computes what.</param>
    /// <param name="buckets">How the vector is cut.</param>
    /// <param name="reduction">How gradients are summed.</param>
    /// <param name="partsOnly">Whether a rank needs its part of each bucket alone.</param>
    /// <exception cref="DeitException">A bucket is larger than one message can be.</exception>
    public GradientExchange(
        World world,
        MicroBatches microBatches,
        IReadOnlyList<FlatRange> buckets,
        GradientReduction reduction,
        bool partsOnly
    )
    {
        (_world, Buckets, _reduction, _partsOnly) = (world, buckets, reduction, partsOnly);
        _sums = new IGradientSum[buckets.Count];
        for (int i = 0; i < _sums.Length; i++)
            _sums[i] = reduction switch
            {
                GradientReduction.Bf16 when world.Size > 1 => new RoundedSum(world, buckets[i].Count, partsOnly),
                GradientReduction.Native when world.Size > 1 => new NativeSum(world, buckets[i].Count),
                _ => new OrderedSum(world, microBatches, buckets[i].Count, partsOnly),
            };
        Sum = new float[buckets.Max(bucket => bucket.End)];
    }

    /// <summary>How the vector is cut, in the order of the exchanges.</summary>
    public IReadOnlyList<FlatRange> Buckets { get; }

    /// <summary>The sum of all gradients, as far as it was taken.</summary>
    public float[] Sum { get; }

    /// <summary>Bytes of host memory that it takes.</summary>
    /// <param name="world">The ranks.</param>
    /// <param name="microBatches">Who computes what.</param>
    /// <param name="length">Elements of the vector.</param>
    public static long ByteLength(World world, MicroBatches microBatches, long length) =>
        OrderedSum.ByteLength(world, microBatches, length) + (sizeof(float) * length);

    /// <summary>Ranks take other micro-batches from here on. Between updates alone.</summary>
    /// <param name="microBatches">Who computes what.</param>
    public void Deal(MicroBatches microBatches)
    {
        // The others do not depend on who computes what, and keep what rounding has left.
        if (_reduction == GradientReduction.Ordered)
            for (int i = 0; i < _sums.Length; i++)
                _sums[i] = new OrderedSum(_world, microBatches, Buckets[i].Count, _partsOnly);
    }

    /// <summary>Adds the gradients of the next micro-batch of this rank in a bucket.</summary>
    public void Add(int bucket, int microBatch, ReadOnlySpan<float> values) => _sums[bucket].Add(microBatch, values);

    /// <summary>Sums a bucket over all ranks. All of them take the buckets in order.</summary>
    /// <exception cref="DeitException">A rank has ended, or did not come in time.</exception>
    public void Take(int bucket) => _sums[bucket].Take(Sum.AsSpan(Buckets[bucket].Start, Buckets[bucket].Count));
}
