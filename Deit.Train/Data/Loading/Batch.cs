namespace Deit.Train.Data.Loading;

/// <summary>Samples for one step. Disposing it lends its arrays to a later batch, so nothing of it may be used afterwards.</summary>
internal sealed class Batch : IDisposable
{
    private readonly Action<BatchBuffers> _giveBack;
    private BatchBuffers? _buffers;

    internal Batch(BatchBuffers buffers, int count, Action<BatchBuffers> giveBack) =>
        (_buffers, Count, _giveBack) = (buffers, count, giveBack);

    /// <summary>How many samples there are; at most B. What the arrays hold past them has no meaning.</summary>
    public int Count { get; }

    /// <summary>[B, 3, H, W], normalised.</summary>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public float[] Images => Buffers.Images;

    /// <summary>[B].</summary>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public uint[] Labels => Buffers.Labels;

    /// <summary>[B], the samples' numbers in the data set.</summary>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public int[] Indices => Buffers.Indices;

    private BatchBuffers Buffers => _buffers ?? throw new ObjectDisposedException(nameof(Batch));

    /// <summary>Gives the arrays back.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffers, null) is { } buffers)
            _giveBack(buffers);
    }
}

/// <summary>The arrays of a batch.</summary>
/// <param name="Images">[B, 3, H, W].</param>
/// <param name="Labels">[B].</param>
/// <param name="Indices">[B].</param>
internal sealed record BatchBuffers(float[] Images, uint[] Labels, int[] Indices);
