namespace Deit.Train.Distributed;

/// <summary>
/// The sum as the MPI library computes it, by MPI_Allreduce. A library may have a faster way than <see cref="OrderedSum"/>,
/// and a network that adds. The order of the sum, and so the last bits, depend on the library, the network and the ranks.
/// </summary>
/// <param name="world">The ranks.</param>
/// <param name="length">Elements of the vector.</param>
internal sealed class NativeSum(World world, int length) : IGradientSum
{
    private readonly SumTree _own = new(length);

    /// <inheritdoc/>
    public void Add(int microBatch, ReadOnlySpan<float> values) => _own.Add(new SumNode(microBatch, 0), values);

    /// <inheritdoc/>
    public void Take(Span<float> sum)
    {
        _own.Take(sum);
        world.AllReduceSum(sum, "exchanging gradients");
    }
}
