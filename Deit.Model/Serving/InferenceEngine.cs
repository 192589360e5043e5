using System.Diagnostics;
using System.Runtime.InteropServices;
using Deit.Gpu;
using Microsoft.Extensions.Logging;

namespace Deit.Model.Serving;

/// <summary>
/// Answers requests of any number of threads with one thread of its own. The requests that wait when the device becomes
/// free are the next batch. A lost device is opened anew once for each batch, together with the model.
/// </summary>
internal sealed class InferenceEngine : IDisposable, IAsyncDisposable
{
    private readonly DeitModelOptions _options;
    private readonly ILogger _logger;
    private readonly Func<ILoadedModel> _load;
    private readonly Thread _thread;
    private readonly object _gate = new();
    private readonly LinkedList<Request> _waiting = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ILoadedModel? _model; // written by the thread alone
    private bool _disposed;

    /// <summary>Starts to answer.</summary>
    /// <param name="path">Where the model comes from, for messages.</param>
    /// <param name="options">How large and how old batches may be.</param>
    /// <param name="logger">Where events go.</param>
    /// <param name="model">The model, which the engine takes over.</param>
    /// <param name="load">Makes the model anew when its device was lost.</param>
    public InferenceEngine(
        string path,
        DeitModelOptions options,
        ILogger logger,
        ILoadedModel model,
        Func<ILoadedModel> load
    )
    {
        (Path, _options, _logger, _model, _load) = (path, options, logger, model, load);
        Latest = model;
        // The thread is not one of the pool: callers may block all of its threads while they wait for this one.
        // The end of a process disposes the engine, since a driver must not be torn down while it computes.
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
        _thread = new Thread(Work) { IsBackground = true, Name = $"{nameof(DeitModel)} '{path}'" };
        _thread.UnsafeStart(); // what its batches log does not belong to the call that loaded the model
        ModelTelemetry.Add(this);
    }

    /// <summary>Where the model comes from, for messages.</summary>
    public string Path { get; }

    /// <summary>The model that computes, or did last: once it is lost or disposed, it only says what it was.</summary>
    public ILoadedModel Latest { get; private set; }

    /// <summary>Bytes that all models hold on the device now.</summary>
    internal long AllocatedBytes => _model?.AllocatedBytes ?? 0;

    /// <summary>True once the model was given back.</summary>
    public bool IsDisposed
    {
        get
        {
            lock (_gate)
                return _disposed;
        }
    }

    /// <summary>True from the loss of the device until a request has opened it anew.</summary>
    public bool IsLost => _model is not { Lost: false };

    /// <summary>Requests that wait for the device.</summary>
    public int QueueLength
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    /// <summary>Waits for the answer.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed before its turn came.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    public Answer Ask(Request request)
    {
        Enqueue(request);
        return request.Answer.GetAwaiter().GetResult();
    }

    /// <summary>The answer. Cancellation takes a waiting request off the queue; the caller no longer waits for one that
    /// is being computed.</summary>
    public async Task<Answer> AskAsync(Request request, CancellationToken cancellation)
    {
        // Once it is queued its answer may come before anybody hears of the cancellation.
        if (cancellation.IsCancellationRequested)
        {
            request.Dispose();
            throw new OperationCanceledException(cancellation);
        }
        Enqueue(request);
        using CancellationTokenRegistration registration = cancellation.UnsafeRegister(
            _ => Cancel(request, cancellation),
            null
        );
        return await request.Answer.ConfigureAwait(false);
    }

    /// <summary>Fails all waiting requests, lets the running batch end, and gives everything back.</summary>
    public void Dispose()
    {
        Stop();
        // A logger may call this from the engine's own thread, which cannot wait for itself.
        if (Thread.CurrentThread != _thread)
            _thread.Join();
    }

    /// <summary>The same without blocking the thread that calls.</summary>
    public ValueTask DisposeAsync()
    {
        Stop();
        return Thread.CurrentThread != _thread ? new ValueTask(_ended.Task) : ValueTask.CompletedTask;
    }

    private void Stop()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        ModelTelemetry.Remove(this);
        List<Request> left;
        lock (_gate)
        {
            _disposed = true;
            left = [.. _waiting];
            _waiting.Clear();
            Monitor.PulseAll(_gate);
        }
        foreach (Request request in left)
        {
            request.Fail(Disposed());
            request.Dispose();
        }
    }

    private void OnProcessExit(object? sender, EventArgs e) => Dispose();

    private void Enqueue(Request request)
    {
        lock (_gate)
            if (!_disposed)
            {
                request.BeginsToWait();
                _waiting.AddLast(request.Node);
                Monitor.Pulse(_gate);
                return;
            }
        request.Dispose();
        throw Disposed();
    }

    private void Cancel(Request request, CancellationToken cancellation)
    {
        bool waited;
        lock (_gate)
        {
            waited = request.Node.List is not null;
            if (waited)
                _waiting.Remove(request.Node);
        }
        request.Cancel(cancellation);
        if (waited)
            request.Dispose();
    }

    private void Work()
    {
        while (Take() is { Count: > 0 } batch)
        {
            try
            {
                Compute(batch);
            }
            catch (Exception error)
            {
                // The error comes from a logger or from giving back a lost model. A request that was answered already
                // keeps its answer.
                foreach (Request request in batch)
                    request.Fail(error);
            }
            foreach (Request request in batch)
                request.Dispose();
        }
        try
        {
            _model?.Dispose();
        }
        catch (GpuException)
        {
            // The device is lost by now, so nothing is left to give back.
        }
        _ended.SetResult();
    }

    // The next batch, oldest first; empty when disposed.
    private List<Request> Take()
    {
        List<Request> batch = [];
        lock (_gate)
        {
            for (TimeSpan left; !_disposed && (left = TimeToWait()) != TimeSpan.Zero; )
                Monitor.Wait(_gate, left);
            while (
                _waiting.First is { } first
                && batch.Count < _options.MaxBatchSize
                && (first.Value.Wanted != Wanted.Attention || batch.Count == 0)
            )
            {
                _waiting.RemoveFirst();
                batch.Add(first.Value);
                if (first.Value.Wanted == Wanted.Attention)
                    break;
            }
        }
        return batch;
    }

    private TimeSpan TimeToWait()
    {
        if (_waiting.First is not { } oldest)
            return Timeout.InfiniteTimeSpan;
        if (_waiting.Count >= _options.MaxBatchSize || oldest.Value.Wanted == Wanted.Attention)
            return TimeSpan.Zero; // attention is computed alone
        TimeSpan left = _options.MaxDelay - Stopwatch.GetElapsedTime(oldest.Value.Since);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    // Every error becomes the answer of the requests in the batch: no exception leaves this thread.
    private void Compute(List<Request> batch)
    {
        int answered = 0;
        for (bool lostBefore = false; ; )
            try
            {
                ILoadedModel model = Current();
                while (answered < batch.Count)
                    answered += Step(model, CollectionsMarshal.AsSpan(batch)[answered..]);
                return;
            }
            catch (Exception error)
            {
                bool lost = error is GpuException { Reason: GpuErrorKind.DeviceLost };
                if (lost)
                    Lose(error);
                if (lost && !lostBefore)
                {
                    lostBefore = true;
                    continue;
                }
                EngineLog.Failed(_logger, Path, batch.Count - answered, error);
                foreach (Request request in batch[answered..])
                    request.Fail(error);
                return;
            }
    }

    private int Step(ILoadedModel model, ReadOnlySpan<Request> waiting)
    {
        long start = Stopwatch.GetTimestamp();
        (int count, int batchSize) = (1, 1);
        if (waiting[0].Wanted == Wanted.Attention)
            model.AnswerAttention(waiting[0]);
        else
            (count, batchSize) = model.Answer(waiting);
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        ModelTelemetry.Computed(this, count, time);
        if (_logger.IsEnabled(LogLevel.Debug))
            EngineLog.Batch(_logger, count, batchSize, time.TotalMilliseconds);
        return count;
    }

    private ILoadedModel Current()
    {
        if (_model is { Lost: true })
            Drop();
        if (_model is not null)
            return _model;
        long start = Stopwatch.GetTimestamp();
        _model = _load();
        Latest = _model;
        ModelTelemetry.Recovered(this);
        EngineLog.Rebuilt(_logger, Path, Latest.DeviceName, (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        return _model;
    }

    private void Lose(Exception error)
    {
        EngineLog.DeviceLost(_logger, Path, Latest.DeviceName, error);
        _model?.MarkLost();
        Drop();
    }

    private void Drop()
    {
        ILoadedModel? lost = _model;
        _model = null;
        lost?.Dispose();
    }

    private static ObjectDisposedException Disposed() => new(nameof(DeitModel));
}
