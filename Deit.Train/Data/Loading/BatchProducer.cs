using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Deit.Model.Images;

namespace Deit.Train.Data.Loading;

/// <summary>
/// The worker threads of one epoch: they claim samples in order, a sample at a time, so that the next batch is done first.
/// </summary>
internal sealed class BatchProducer : IDisposable
{
    private readonly SampleReader _samples;
    private readonly IBatchMemorySource _memory;
    private readonly BatchLoaderOptions _options;
    private readonly int[] _order;
    private readonly int _epoch,
        _end;
    private readonly Func<int, bool>? _takes;
    private readonly Thread[] _workers;
    private readonly CancellationToken _cancellation;
    private readonly CancellationTokenRegistration _registration;

    // Guards everything below; pulsed when a batch is complete or taken and when the work ends early.
    private readonly object _gate = new();
    private readonly Queue<PendingBatch> _begun = []; // oldest first
    private PendingBatch? _claiming; // the newest
    private int _next;
    private volatile bool _stopped;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Starts the workers.</summary>
    /// <param name="samples">Decodes and transforms.</param>
    /// <param name="memory">Where the batches are written.</param>
    /// <param name="options">How to work.</param>
    /// <param name="order">The samples' numbers in the order of the epoch.</param>
    /// <param name="epoch">The epoch.</param>
    /// <param name="firstBatch">How many batches to leave out.</param>
    /// <param name="takes">Says of the number of a batch whether it is wanted; null for all.</param>
    /// <param name="cancellation">Ends the work.</param>
    public BatchProducer(
        SampleReader samples,
        IBatchMemorySource memory,
        BatchLoaderOptions options,
        int[] order,
        int epoch,
        int firstBatch,
        Func<int, bool>? takes,
        CancellationToken cancellation
    )
    {
        (_samples, _memory, _options, _order, _epoch, _takes) = (samples, memory, options, order, epoch, takes);
        _cancellation = cancellation;
        _end = options.Training ? order.Length / options.BatchSize * options.BatchSize : order.Length;
        _next = FirstWanted((int)Math.Min((long)firstBatch * options.BatchSize, _end));
        int workers = options.Workers > 0 ? options.Workers : Environment.ProcessorCount;
        _workers = new Thread[Math.Min(workers, _end - _next)];
        for (int i = 0; i < _workers.Length; i++)
        {
            _workers[i] = new Thread(Work) { IsBackground = true, Name = $"image worker {i}" };
            _workers[i].Start();
        }
        _registration = cancellation.UnsafeRegister(producer => ((BatchProducer)producer!).Stop(), this);
    }

    /// <summary>Waits for the next batch; null after the last one.</summary>
    /// <param name="waited">
    /// How long the pictures kept the caller waiting; time in which a device still held the memory does not count.
    /// </param>
    public Batch? Take(out TimeSpan waited)
    {
        waited = TimeSpan.Zero;
        PendingBatch? batch;
        long start = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            while (!_stopped && !(_begun.TryPeek(out batch) ? batch.Left == 0 : _next == _end))
                Monitor.Wait(_gate);
            _cancellation.ThrowIfCancellationRequested();
            _failure?.Throw();
            if (!_begun.TryDequeue(out batch))
                return null;
            Monitor.PulseAll(_gate); // one more may be begun
            long end = Stopwatch.GetTimestamp();
            waited = Stopwatch.GetElapsedTime(Math.Clamp(batch.FreeSince, start, end), end);
        }
        return new Batch(batch.Memory, batch.Compact(), _memory);
    }

    /// <summary>Ends the workers; each finishes at most the picture it is at.</summary>
    public void Dispose()
    {
        _registration.Dispose();
        Stop();
        foreach (Thread worker in _workers)
            worker.Join();
        foreach (PendingBatch batch in _begun)
            _memory.Return(batch.Memory);
        _begun.Clear();
    }

    private void Stop()
    {
        lock (_gate)
        {
            _stopped = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Work()
    {
        try
        {
            while (Claim() is (PendingBatch batch, int position))
            {
                WaitUntilFree(batch);
                Fill(batch, position);
                lock (_gate)
                    if (--batch.Left == 0)
                        Monitor.PulseAll(_gate);
            }
        }
        catch (Exception error) // exceptions of every type, which the consumer must hear of
        {
            lock (_gate)
                _failure ??= ExceptionDispatchInfo.Capture(error);
            Stop();
        }
    }

    private (PendingBatch Batch, int Position)? Claim()
    {
        int size = _options.BatchSize;
        lock (_gate)
        {
            while (!_stopped && _next < _end && _next % size == 0 && _begun.Count == _options.BatchesAhead)
                Monitor.Wait(_gate);
            if (_stopped || _next == _end)
                return null;
            if (_next % size == 0)
                _begun.Enqueue(_claiming = new PendingBatch(_memory.Rent(), Math.Min(size, _end - _next)));
            int position = _next++;
            if (_next % size == 0)
                _next = FirstWanted(_next);
            return (_claiming!, position);
        }
    }

    // The first position of a wanted batch, from the first of a batch on.
    private int FirstWanted(int position)
    {
        int size = _options.BatchSize;
        while (_takes is not null && position < _end && !_takes(position / size))
            position = (int)Math.Min((long)position + size, _end);
        return position;
    }

    // Outside the gate: while a device still reads the memory, the consumer can take the batches before.
    private void WaitUntilFree(PendingBatch batch)
    {
        batch.Memory.WaitUntilFree();
        lock (_gate)
            if (batch.FreeSince == 0)
                batch.FreeSince = Stopwatch.GetTimestamp();
    }

    private void Fill(PendingBatch batch, int position)
    {
        int row = position % _options.BatchSize,
            index = _order[position];
        RgbImage? image = _samples.Load(index, _epoch, position);
        if (_options.Training)
        {
            for (int i = 1; image is null && i < _order.Length && !_stopped; i++)
                image = _samples.Load(index = _order[(int)(((long)position + i) % _order.Length)], _epoch, position);
            if (image is null)
                throw _samples.NothingReadable();
        }
        if (image is null)
            return; // the row keeps its mark as unreadable
        int length = _samples.SampleLength;
        _samples.Apply(image, index, _epoch, position, batch.Memory.Images.Slice(row * length, length));
        batch.Memory.Labels[row] = _samples.Label(index);
        batch.Memory.Indices[row] = index;
    }
}
