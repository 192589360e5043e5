using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Formats;

namespace Deit.Train.Data.Loading;

/// <summary>
/// Decodes and transforms samples on all cores ahead of the device. A batch depends on data set, sampler, transform,
/// epoch and its number alone. It does not depend on how many workers there are, which of them is first, or where a run
/// was resumed.
/// </summary>
internal sealed class BatchLoader
{
    private readonly ISampler _sampler;
    private readonly BatchArrays _arrays;
    private long _waited;

    /// <summary>Makes a loader.</summary>
    /// <param name="dataset">The pictures.</param>
    /// <param name="sampler">The order.</param>
    /// <param name="transform">The transform of each picture.</param>
    /// <param name="options">How to work.</param>
    /// <exception cref="DeitException">The batch is larger than an epoch of the training set or than an array can be.</exception>
    public BatchLoader(IImageSplit dataset, ISampler sampler, IImageTransform transform, BatchLoaderOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.BatchesAhead);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Workers);
        if (options.BatchSize < 1)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"A batch of {options.BatchSize} images was asked for, expected at least 1; correct --batch-size."
            );
        long largest = Array.MaxLength / (3L * transform.InputSize.Pixels);
        if (options.BatchSize > largest)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"A batch of {options.BatchSize} images of {transform.InputSize} pixels was asked for, "
                    + $"expected at most {largest}; lower --batch-size."
            );
        if (options.Training && options.BatchSize > sampler.Count)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"A batch of {options.BatchSize} images was asked for, an epoch of the training set has "
                    + $"{sampler.Count}, which makes no whole batch; lower --batch-size to at most that."
            );
        (_sampler, Options) = (sampler, options);
        Samples = new SampleReader(dataset, transform);
        _arrays = new BatchArrays(options.BatchSize, transform.InputSize);
    }

    /// <summary>How it works.</summary>
    public BatchLoaderOptions Options { get; }

    /// <summary>Time that consumers spent waiting for batches, over all epochs; waits for a device to free memory are left out.</summary>
    public TimeSpan Waited => new(Interlocked.Read(ref _waited));

    /// <summary>A sentence for each sample that could not be read when it was last tried, in the data set's order.</summary>
    public IReadOnlyList<string> Unreadable => Samples.Unreadable;

    /// <summary>The samples of those sentences.</summary>
    public SampleReader Samples { get; }

    /// <summary>Bytes of all batches there may be at once in arrays: those ahead and the one in use.</summary>
    public long BufferBytes => (Options.BatchesAhead + 1L) * Options.BatchSize * Samples.SampleLength * sizeof(float);

    /// <summary>Batches in an epoch. In evaluation there are fewer where all samples of a batch are
    /// unreadable.</summary>
    /// <param name="samples">Samples in the epoch's order.</param>
    public int BatchCount(int samples) =>
        Options.Training
            ? samples / Options.BatchSize
            : (int)(((long)samples + Options.BatchSize - 1) / Options.BatchSize);

    /// <summary>The batches of an epoch, in order. Leaving the loop, or disposing its enumerator, stops the workers.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="firstBatch">How many batches to leave out, for a run that is resumed.</param>
    /// <param name="memory">
    /// Where the batches are written, with room for one more than <see cref="BatchLoaderOptions.BatchesAhead"/>; null for arrays.
    /// </param>
    /// <param name="takes">Says of the number of a batch whether it is wanted; null for all.</param>
    /// <param name="cancellation">Ends the loop with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="DeitException">No sample can be read; thrown by the enumeration, as is any other failure of a worker.</exception>
    public IEnumerable<Batch> Epoch(
        int epoch,
        int firstBatch = 0,
        IBatchMemorySource? memory = null,
        Func<int, bool>? takes = null,
        CancellationToken cancellation = default
    )
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(firstBatch);
        return Enumerate();

        IEnumerable<Batch> Enumerate()
        {
            int[] order = _sampler.Order(epoch);
            Samples.BeginEpoch();
            using BatchProducer producer = new(
                Samples,
                memory ?? _arrays,
                Options,
                order,
                epoch,
                firstBatch,
                takes,
                cancellation
            );
            bool any = false;
            while (producer.Take(out TimeSpan waited) is { } batch)
            {
                Interlocked.Add(ref _waited, waited.Ticks);
                if (batch.Count == 0) // all of it unreadable
                {
                    batch.Dispose();
                    continue;
                }
                any = true;
                yield return batch;
            }
            if (!any && takes is null && firstBatch < BatchCount(order.Length))
                throw Samples.NothingReadable();
        }
    }
}
