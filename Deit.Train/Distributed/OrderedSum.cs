using System.Numerics;

namespace Deit.Train.Distributed;

/// <summary>
/// The sum of the gradients of all micro-batches of an update, the same bits on every rank and for every number of
/// ranks. Each rank sums a part of the vector: it receives that part of the others' sums, adds them up in the order of
/// <see cref="SumTree"/>, and gives the result to all. A rank so sends and receives 2 (N - 1) / N of the vector, as in a
/// ring, where N ranks take M / N micro-batches each and M / N is a power of two. Elsewhere a run has several sums, each of
/// which is sent: 2 for runs of 3, 4 for runs of 15.
/// </summary>
internal sealed class OrderedSum : IGradientSum
{
    private readonly World _world;
    private readonly List<SumNode>[] _nodes; // the sums that each rank sends
    private readonly int _length,
        _part;
    private readonly bool _partOnly;
    private readonly SumTree _own,
        _slice;
    private readonly float[][] _received; // one for each sum that a rank may send: this part of every rank's
    private readonly float[] _sliceSum,
        _all;

    /// <summary>Asks for the memory.</summary>
    /// <param name="world">The ranks.</param>
    /// <param name="microBatches">Who computes what.</param>
    /// <param name="length">Elements of the vector.</param>
    /// <param name="partOnly">Whether each rank needs its part of the sum alone.</param>
    /// <exception cref="DeitException">There are more than one message can hold.</exception>
    public OrderedSum(World world, MicroBatches microBatches, int length, bool partOnly)
    {
        (_world, _length, _partOnly) = (world, length, partOnly);
        int most = (int.MaxValue / sizeof(float)) - (world.Size * FlatRange.Unit);
        if (length > most)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Exchanging {length} gradients at once was asked for, expected at most {most}; give a lower --bucket-mb "
                    + "above 0, so that they go in several messages."
            );
        _part = partOnly ? FlatRange.PartLength(length, world.Size) : (length + world.Size - 1) / world.Size;
        bool alone = world.Size == 1;
        _own = new SumTree(alone ? length : _part * world.Size);
        _slice = new SumTree(_part);
        _nodes =
        [
            .. Enumerable.Range(0, world.Size).Select(microBatches.Of).Select(run => SumNode.Cover(run.Start, run.End)),
        ];
        _received =
        [
            .. Enumerable
                .Range(0, alone ? 0 : _nodes.Max(some => some.Count))
                .Select(_ => new float[_part * world.Size]),
        ];
        _sliceSum = new float[alone ? 0 : _part];
        _all = new float[alone ? 0 : _part * world.Size];
    }

    /// <summary>Bytes of host memory that the sums of a rank take.</summary>
    /// <param name="world">The ranks.</param>
    /// <param name="microBatches">Who computes what.</param>
    /// <param name="length">Elements of the vector.</param>
    public static long ByteLength(World world, MicroBatches microBatches, long length)
    {
        (int start, int end) = microBatches.Of(world.Rank);
        // A tree holds a vector of each level at most, and the one that is added.
        long own = BitOperations.Log2((uint)(end - start)) + 2,
            slice = BitOperations.Log2((uint)microBatches.Count) + 3,
            sent = world.Size == 1 ? 0 : SumNode.Cover(start, end).Count + 1;
        return sizeof(float) * length * (own + sent + (world.Size == 1 ? 0 : (slice / world.Size) + 1));
    }

    /// <inheritdoc/>
    public void Add(int microBatch, ReadOnlySpan<float> values) => _own.Add(new SumNode(microBatch, 0), values);

    /// <inheritdoc/>
    public void Take(Span<float> sum)
    {
        const string Purpose = "exchanging gradients";
        if (_world.Size == 1)
        {
            _own.Take(sum);
            return;
        }
        // A rank whose run has fewer sums sends what nobody reads.
        for (int i = 0; i < _received.Length; i++)
            _world.AllToAll<float>(_own.Open[Math.Min(i, _own.Open.Count - 1)].Values, _received[i], Purpose);
        _own.Clear();
        IEnumerable<(SumNode Node, int Rank, int Index)> sent = _nodes.SelectMany(
            (nodes, rank) => nodes.Select((node, index) => (node, rank, index))
        );
        foreach ((SumNode node, int rank, int index) in sent.OrderBy(one => one.Node.Start))
            _slice.Add(node, _received[index].AsSpan(rank * _part, _part));
        _slice.Take(_sliceSum);
        if (_partOnly)
        {
            FlatRange part = new FlatRange(0, _length).PartOf(_world.Rank, _world.Size);
            _sliceSum.AsSpan(0, part.Count).CopyTo(sum[part.Start..]);
            return;
        }
        _world.AllGather<float>(_sliceSum, _all, Purpose);
        _all.AsSpan(0, _length).CopyTo(sum);
    }
}
