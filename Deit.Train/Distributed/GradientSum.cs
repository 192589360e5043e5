namespace Deit.Train.Distributed;

/// <summary>
/// The sum of the gradients of all micro-batches of an update, the same bits on every rank and for every number of
/// ranks. Each rank sums a slice of the vector: it receives that slice of the others' sums, adds them up in the order of
/// <see cref="SumTree"/>, and gives the result to all. A rank so sends and receives 2 (N - 1) / N of the vector, as in a
/// ring, where N ranks take M / N micro-batches each and M / N is a power of two; else up to twice as much.
/// </summary>
internal sealed class GradientSum
{
    private readonly World _world;
    private readonly MicroBatches _microBatches;
    private readonly int _length,
        _part;
    private readonly SumTree _own,
        _slice;
    private readonly float[] _send,
        _received,
        _sliceSum;

    /// <summary>Asks for the memory.</summary>
    /// <param name="world">The ranks.</param>
    /// <param name="microBatches">Who computes what.</param>
    /// <param name="length">Elements of the vector.</param>
    public GradientSum(World world, MicroBatches microBatches, int length)
    {
        (_world, _microBatches, _length) = (world, microBatches, length);
        _part = (length + world.Size - 1) / world.Size;
        _own = new SumTree(length);
        _slice = new SumTree(_part);
        bool alone = world.Size == 1;
        _send = alone ? [] : new float[_part * world.Size];
        _received = alone ? [] : new float[_part * world.Size];
        _sliceSum = alone ? [] : new float[_part];
    }

    /// <summary>Adds the gradients of the next micro-batch of this rank.</summary>
    /// <param name="microBatch">Its number within the update.</param>
    /// <param name="fill">Writes the vector.</param>
    public void Add(int microBatch, SumTree.SpanAction fill) => _own.Add(new SumNode(microBatch, 0), fill);

    /// <summary>Sums over all ranks, and begins anew.</summary>
    /// <param name="sum">Receives the sum.</param>
    /// <exception cref="Deit.Model.DeitException">A rank has ended, or did not come in time.</exception>
    public void Take(Span<float> sum)
    {
        if (_world.Size == 1)
        {
            _own.Take(sum);
            return;
        }
        List<SumNode>[] nodes =
        [
            .. Enumerable
                .Range(0, _world.Size)
                .Select(_microBatches.Of)
                .Select(run => SumNode.Cover(run.Start, run.End)),
        ];
        List<(SumNode Node, float[] Values)> slices = [];
        for (int i = 0; i < nodes.Max(some => some.Count); i++)
        {
            // A rank whose run has fewer sums sends what nobody reads.
            if (i < _own.Open.Count)
                _own.Open[i].Values.CopyTo(_send, 0);
            _world.AllToAll<float>(_send, _received, "exchanging gradients");
            for (int rank = 0; rank < _world.Size; rank++)
                if (i < nodes[rank].Count)
                    slices.Add((nodes[rank][i], _received[(rank * _part)..((rank + 1) * _part)]));
        }
        _own.Clear();
        foreach ((SumNode node, float[] values) in slices.OrderBy(slice => slice.Node.Start))
            _slice.Add(node, target => values.CopyTo(target));
        _slice.Take(_sliceSum);
        _world.AllGather<float>(_sliceSum, _received, "exchanging gradients");
        _received.AsSpan(0, _length).CopyTo(sum);
    }
}
