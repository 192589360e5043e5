namespace Deit.Train.Distributed;

/// <summary>
/// The sum of gradients that travel as bfloat16, half as many bytes as of F32. What rounding takes from a value is added to
/// that of the next update, so that nothing is lost over many updates (Seide et al., "1-bit stochastic gradient descent",
/// Interspeech 2014; Karimireddy et al., "Error feedback fixes SignSGD", arXiv 1901.09847). A rank rounds the sum of its
/// own micro-batches; ranks add them in F32 in the order of ranks, and round the sum. The bits depend on the number of ranks.
/// </summary>
internal sealed class RoundedSum : IGradientSum
{
    private readonly World _world;
    private readonly int _length,
        _part;
    private readonly bool _partOnly;
    private readonly SumTree _own;
    private readonly float[] _total, // of the own micro-batches
        _error, // that rounding has left of it
        _partSum,
        _partError;
    private readonly ushort[] _sent,
        _received,
        _partSent;

    /// <summary>Asks for the memory.</summary>
    /// <param name="world">The ranks.</param>
    /// <param name="length">Elements of the vector.</param>
    /// <param name="partOnly">Whether each rank needs its part of the sum alone.</param>
    public RoundedSum(World world, int length, bool partOnly)
    {
        (_world, _length, _partOnly) = (world, length, partOnly);
        _part = FlatRange.PartLength(length, world.Size);
        int padded = checked(_part * world.Size);
        (_own, _total, _error) = (new SumTree(length), new float[padded], new float[padded]);
        (_sent, _received) = (new ushort[padded], new ushort[padded]);
        (_partSum, _partError, _partSent) = (new float[_part], new float[_part], new ushort[_part]);
    }

    /// <inheritdoc/>
    public void Add(int microBatch, ReadOnlySpan<float> values) => _own.Add(new SumNode(microBatch, 0), values);

    /// <inheritdoc/>
    public void Take(Span<float> sum)
    {
        const string Purpose = "exchanging gradients";
        _own.Take(_total.AsSpan(0, _length));
        Round(_total, _error, _sent);
        _world.AllToAll<ushort>(_sent, _received, Purpose);
        Array.Clear(_partSum);
        for (int rank = 0; rank < _world.Size; rank++)
        for (int i = 0; i < _part; i++)
            _partSum[i] += Widened(_received[(rank * _part) + i]);
        if (_partOnly)
        {
            FlatRange part = new FlatRange(0, _length).PartOf(_world.Rank, _world.Size);
            _partSum.AsSpan(0, part.Count).CopyTo(sum[part.Start..]);
            return;
        }
        Round(_partSum, _partError, _partSent);
        _world.AllGather<ushort>(_partSent, _received, Purpose);
        for (int i = 0; i < _length; i++)
            sum[i] = Widened(_received[i]);
    }

    // Rounds to nearest, and of two equally near to the even one. An infinity or NaN passes as it is and leaves no error.
    private static void Round(ReadOnlySpan<float> values, Span<float> error, Span<ushort> rounded)
    {
        for (int i = 0; i < values.Length; i++)
        {
            float value = values[i] + error[i];
            rounded[i] = Rounded(value);
            float rest = value - Widened(rounded[i]);
            error[i] = float.IsFinite(rest) ? rest : 0;
        }
    }

    internal static ushort Rounded(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7FC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    internal static float Widened(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);
}
