namespace Deit.Train.Data.Loading;

/// <summary>Samples for one step. Disposing it gives its memory to a later batch, so that nothing of it may be used afterwards.</summary>
internal sealed class Batch : IDisposable
{
    private readonly IBatchMemorySource _source;
    private BatchMemory? _memory;

    internal Batch(BatchMemory memory, int count, IBatchMemorySource source) =>
        (_memory, Count, _source) = (memory, count, source);

    /// <summary>How many samples there are; at most B. Rows past them have no meaning.</summary>
    public int Count { get; }

    /// <summary>[B, 3, H, W], normalised.</summary>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public Span<float> Images => Memory.Images;

    /// <summary>[B].</summary>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public Span<uint> Labels => Memory.Labels;

    /// <summary>[B], the samples' numbers in the data set.</summary>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public int[] Indices => Memory.Indices;

    /// <summary>Where the samples lie.</summary>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public BatchMemory Memory => _memory ?? throw new ObjectDisposedException(nameof(Batch));

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _memory, null) is { } memory)
            _source.Return(memory);
    }
}
