using System.Collections.Concurrent;
using Deit.Model;
using Deit.Model.Images;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Formats;

namespace Deit.Train.Data.Loading;

/// <summary>How a <see cref="BatchLoader"/> works.</summary>
internal sealed record BatchLoaderOptions
{
    /// <summary>B, samples a batch.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>
    /// True: only whole batches (drop_last), and in place of a sample that cannot be read comes the next readable one of the epoch's order.
    /// False: the last batch may be smaller, and what cannot be read is left out.
    /// </summary>
    public bool Training { get; init; }

    /// <summary>Threads that decode; 0 is one a core.</summary>
    public int Workers { get; init; }

    /// <summary>Batches that may be decoded, or be about to be, before the consumer asks for them.</summary>
    public int BatchesAhead { get; init; } = 2;
}

/// <summary>
/// Decodes and transforms samples on all cores ahead of the device. A batch depends on data set, sampler, transform, epoch and its number
/// alone: not on how many workers there are, which is first, or where a run was resumed.
/// </summary>
internal sealed class BatchLoader
{
    private readonly IImageDataset _dataset;
    private readonly ISampler _sampler;
    private readonly ConcurrentBag<BatchBuffers> _pool = [];
    private readonly ConcurrentDictionary<int, string> _unreadable = [];
    private long _waited;

    /// <summary>Makes a loader.</summary>
    /// <param name="dataset">The pictures.</param>
    /// <param name="sampler">The order.</param>
    /// <param name="transform">What is done to a picture.</param>
    /// <param name="options">How to work.</param>
    /// <exception cref="DeitException">The batch is larger than an epoch of the training set or than an array can be.</exception>
    public BatchLoader(IImageDataset dataset, ISampler sampler, IImageTransform transform, BatchLoaderOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.BatchesAhead);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Workers);
        if (options.BatchSize < 1)
            throw new DeitException(
                $"A batch of {options.BatchSize} images was asked for, expected at least 1; correct --batch-size."
            );
        long largest = Array.MaxLength / (3L * transform.InputSize.Pixels);
        if (options.BatchSize > largest)
            throw new DeitException(
                $"A batch of {options.BatchSize} images of {transform.InputSize} pixels was asked for, expected at most {largest}; lower --batch-size."
            );
        if (options.Training && options.BatchSize > sampler.Count)
            throw new DeitException(
                $"A batch of {options.BatchSize} images was asked for, an epoch of the training set has {sampler.Count}, which makes no whole batch; lower --batch-size to at most that."
            );
        (_dataset, _sampler, Transform, Options) = (dataset, sampler, transform, options);
    }

    /// <summary>Time that consumers spent waiting for batches, over all epochs.</summary>
    public TimeSpan Waited => new(Interlocked.Read(ref _waited));

    /// <summary>A sentence for each sample that could not be read in any epoch, in the data set's order.</summary>
    public IReadOnlyList<string> Unreadable => [.. _unreadable.OrderBy(pair => pair.Key).Select(pair => pair.Value)];

    /// <summary>Bytes of all batches there may be at once: those ahead and the one in use.</summary>
    public long BufferBytes =>
        (Options.BatchesAhead + 1L) * Options.BatchSize * 3 * Transform.InputSize.Pixels * sizeof(float);

    internal IImageTransform Transform { get; }

    internal BatchLoaderOptions Options { get; }

    /// <summary>Batches in an epoch. In evaluation fewer come where all samples of one are unreadable.</summary>
    /// <param name="samples">Samples in the epoch's order.</param>
    public int BatchCount(int samples) =>
        Options.Training
            ? samples / Options.BatchSize
            : (int)(((long)samples + Options.BatchSize - 1) / Options.BatchSize);

    /// <summary>The batches of an epoch, in order. Leaving the loop, or disposing its enumerator, stops the workers.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="firstBatch">How many batches to leave out: where a run is resumed.</param>
    /// <param name="cancellation">Ends the loop with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="DeitException">No sample can be read; thrown by the enumeration, as is whatever else fails in a worker.</exception>
    public IEnumerable<Batch> Epoch(int epoch, int firstBatch = 0, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(firstBatch);
        return Enumerate();

        IEnumerable<Batch> Enumerate()
        {
            int[] order = _sampler.Order(epoch);
            using BatchProducer producer = new(this, order, epoch, firstBatch, cancellation);
            bool any = false;
            while (producer.Take() is { } batch)
            {
                if (batch.Count == 0) // all of it unreadable
                {
                    batch.Dispose();
                    continue;
                }
                any = true;
                yield return batch;
            }
            if (!any && firstBatch < BatchCount(order.Length))
                throw NothingReadable();
        }
    }

    internal BatchBuffers Rent()
    {
        if (_pool.TryTake(out BatchBuffers? buffers))
            return buffers;
        int floats = Options.BatchSize * 3 * Transform.InputSize.Pixels; // the constructor saw to it that they fit
        try
        {
            return new BatchBuffers(new float[floats], new uint[Options.BatchSize], new int[Options.BatchSize]);
        }
        catch (OutOfMemoryException error)
        {
            throw new DeitException(
                $"Preparing a batch of {Options.BatchSize} images of {Transform.InputSize} pixels failed: it needs {(floats * 4L) >> 20} MiB of memory, more than is free; lower --batch-size.",
                error
            );
        }
    }

    internal void GiveBack(BatchBuffers buffers) => _pool.Add(buffers);

    internal void AddWait(TimeSpan time) => Interlocked.Add(ref _waited, time.Ticks);

    internal uint Label(int index) => (uint)_dataset.Label(index);

    /// <summary>Decodes of a sample what its place in the epoch needs; one that cannot be read is remembered and not tried again.</summary>
    /// <returns>Null where it cannot be read.</returns>
    internal RgbImage? Load(int index, int epoch, int position)
    {
        if (_unreadable.ContainsKey(index))
            return null;
        try
        {
            return _dataset.Load(index, (width, height) => Transform.Part(width, height, epoch, position));
        }
        catch (ImageException error)
        {
            _unreadable.TryAdd(index, error.Message);
            return null;
        }
    }

    /// <summary>Transforms a sample; what is wrong with it is said by its name.</summary>
    internal void Apply(RgbImage image, int index, int epoch, int position, Span<float> chw)
    {
        try
        {
            Transform.Apply(image, epoch, position, chw);
        }
        catch (DeitException error)
        {
            throw new DeitException($"'{_dataset.Name(index)}': {error.Message}", error);
        }
    }

    internal DeitException NothingReadable() =>
        new(
            $"Loading images failed: none of {_dataset.Count} can be read; the first error is: {Unreadable.FirstOrDefault("none").TrimEnd('.')}."
        );
}
