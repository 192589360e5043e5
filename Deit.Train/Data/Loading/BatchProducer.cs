using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Deit.Model.Images;

namespace Deit.Train.Data.Loading;

/// <summary>The worker threads of one epoch: they claim samples in order, a sample at a time, so that the next batch is done first.</summary>
internal sealed class BatchProducer : IDisposable
{
    private readonly BatchLoader _loader;
    private readonly int[] _order;
    private readonly int _epoch,
        _batchSize,
        _end;
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

    public BatchProducer(BatchLoader loader, int[] order, int epoch, int firstBatch, CancellationToken cancellation)
    {
        (_loader, _order, _epoch, _cancellation) = (loader, order, epoch, cancellation);
        _batchSize = loader.Options.BatchSize;
        _end = loader.Options.Training ? order.Length / _batchSize * _batchSize : order.Length;
        _next = (int)Math.Min((long)firstBatch * _batchSize, _end);
        int workers = loader.Options.Workers > 0 ? loader.Options.Workers : Environment.ProcessorCount;
        _workers = new Thread[Math.Min(workers, _end - _next)];
        for (int i = 0; i < _workers.Length; i++)
        {
            _workers[i] = new Thread(Work) { IsBackground = true, Name = $"image worker {i}" };
            _workers[i].Start();
        }
        _registration = cancellation.UnsafeRegister(producer => ((BatchProducer)producer!).Stop(), this);
    }

    /// <summary>Waits for the next batch; null after the last one.</summary>
    public Batch? Take()
    {
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
        }
        _loader.AddWait(Stopwatch.GetElapsedTime(start));
        return new Batch(batch.Buffers, batch.Compact(), _loader.GiveBack);
    }

    /// <summary>Ends the workers; each finishes at most the picture it is at.</summary>
    public void Dispose()
    {
        _registration.Dispose();
        Stop();
        foreach (Thread worker in _workers)
            worker.Join();
        foreach (PendingBatch batch in _begun)
            _loader.GiveBack(batch.Buffers);
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
                Fill(batch, position);
                lock (_gate)
                    if (--batch.Left == 0)
                        Monitor.PulseAll(_gate);
            }
        }
        catch (Exception error) // any: it is the consumer who must hear of it
        {
            lock (_gate)
                _failure ??= ExceptionDispatchInfo.Capture(error);
            Stop();
        }
    }

    private (PendingBatch Batch, int Position)? Claim()
    {
        lock (_gate)
        {
            while (!_stopped && _next < _end && _next % _batchSize == 0 && _begun.Count == _loader.Options.BatchesAhead)
                Monitor.Wait(_gate);
            if (_stopped || _next == _end)
                return null;
            if (_next % _batchSize == 0)
                _begun.Enqueue(_claiming = new PendingBatch(_loader.Rent(), Math.Min(_batchSize, _end - _next)));
            return (_claiming!, _next++);
        }
    }

    private void Fill(PendingBatch batch, int position)
    {
        int row = position % _batchSize,
            index = _order[position];
        RgbImage? image = _loader.Load(index, _epoch, position);
        if (_loader.Options.Training)
        {
            for (int i = 1; image is null && i < _order.Length && !_stopped; i++)
                image = _loader.Load(index = _order[(int)(((long)position + i) % _order.Length)], _epoch, position);
            if (image is null)
                throw _loader.NothingReadable();
        }
        if (image is null)
            return; // the row keeps its mark as unreadable
        int length = 3 * _loader.Transform.InputSize.Pixels;
        _loader.Apply(image, index, _epoch, position, batch.Buffers.Images.AsSpan(row * length, length));
        batch.Buffers.Labels[row] = _loader.Label(index);
        batch.Buffers.Indices[row] = index;
    }
}

/// <summary>A batch that workers are filling.</summary>
internal sealed class PendingBatch
{
    private const int Unreadable = -1;
    private readonly int _count;

    public PendingBatch(BatchBuffers buffers, int count)
    {
        (Buffers, _count, Left) = (buffers, count, count);
        Array.Fill(buffers.Indices, Unreadable);
    }

    public BatchBuffers Buffers { get; }

    /// <summary>Rows not done yet.</summary>
    public int Left { get; set; }

    /// <summary>Closes the gaps that unreadable samples left; how many rows remain.</summary>
    public int Compact()
    {
        (float[] images, uint[] labels, int[] indices) = Buffers;
        int length = images.Length / indices.Length,
            kept = 0;
        for (int row = 0; row < _count; row++)
        {
            if (indices[row] == Unreadable)
                continue;
            if (row != kept)
            {
                images.AsSpan(row * length, length).CopyTo(images.AsSpan(kept * length));
                (labels[kept], indices[kept]) = (labels[row], indices[row]);
            }
            kept++;
        }
        return kept;
    }
}
