namespace Deit.Train.Data.Loading;

/// <summary>Memory for the samples of one batch: plain arrays, or memory that a device reads.</summary>
internal abstract class BatchMemory
{
    /// <summary>Makes the part that is the same for all: the samples' numbers, which only the host reads.</summary>
    /// <param name="batchSize">B.</param>
    protected BatchMemory(int batchSize) => Indices = new int[batchSize];

    /// <summary>[B, 3, H, W], normalised. Memory of a device may be slow to read, so that a batch is written once and in order.</summary>
    public abstract Span<float> Images { get; }

    /// <summary>[B].</summary>
    public abstract Span<uint> Labels { get; }

    /// <summary>[B], the samples' numbers in the data set.</summary>
    public int[] Indices { get; }

    /// <summary>Waits until the batch before, if a device still reads it, is no longer needed. Any thread may call it.</summary>
    public virtual void WaitUntilFree() { }
}

/// <summary>Lends the memory that batches are written to. Every member may be called from any thread.</summary>
internal interface IBatchMemorySource
{
    /// <summary>
    /// Lends memory, which may still be read until <see cref="BatchMemory.WaitUntilFree"/> returns; does not wait itself.
    /// </summary>
    /// <exception cref="InvalidOperationException">All memory is lent.</exception>
    BatchMemory Rent();

    /// <summary>Takes memory back. Memory that was lent first and given back first is lent again first.</summary>
    void Return(BatchMemory memory);
}
