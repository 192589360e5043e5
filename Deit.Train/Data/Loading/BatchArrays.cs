using System.Collections.Concurrent;
using Deit.Model.Images;

namespace Deit.Train.Data.Loading;

/// <summary>Arrays for batches, as many as are in use at once. For evaluation, and for callers that want nothing but a
/// batch.</summary>
/// <param name="batchSize">B.</param>
/// <param name="inputSize">H and W.</param>
internal sealed class BatchArrays(int batchSize, ImageSize inputSize) : IBatchMemorySource
{
    private readonly ConcurrentQueue<BatchMemory> _free = [];

    /// <inheritdoc/>
    /// <exception cref="DeitException">There is not enough memory for another batch.</exception>
    public BatchMemory Rent()
    {
        if (_free.TryDequeue(out BatchMemory? memory))
            return memory;
        int floats = batchSize * 3 * inputSize.Pixels; // the loader saw to it that they fit an array
        try
        {
            return new Arrays(new float[floats], new uint[batchSize]);
        }
        catch (OutOfMemoryException error)
        {
            throw new DeitException(
                DeitErrorKind.Memory,
                $"Preparing a batch of {batchSize} images of {inputSize} pixels failed: "
                    + $"it needs {(floats * 4L) >> 20} MiB of memory, more than is free; lower --batch-size.",
                error
            );
        }
    }

    /// <inheritdoc/>
    public void Return(BatchMemory memory) => _free.Enqueue(memory);

    private sealed class Arrays(float[] images, uint[] labels) : BatchMemory(labels.Length)
    {
        public override Span<float> Images => images;

        public override Span<uint> Labels => labels;
    }
}
