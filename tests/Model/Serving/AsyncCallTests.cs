using Deit.Gpu.Vulkan;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Gpu;

namespace Deit.Tests.Model.Serving;

/// <summary>Calls that wait: cancelled at each point where they do, without blocked threads, and everything given back.</summary>
public sealed class AsyncCallTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RgbImage _image = EngineModels.Pictures(1)[0];
    private readonly CountingPool _pool = new();
    private readonly DeitModel _model;
    private readonly IReadOnlyList<ClassScore> _expected;

    public AsyncCallTests()
    {
        _model = DeitModel.Load(EngineModels.Write(_folder, EngineModels.Plain), TestDevice.Any);
        _expected = _model.Classify(_image).Scores;
        _model.Pool = _pool;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Calls => ["classify", "embed", "attention"];

    public void Dispose()
    {
        VulkanCalls.Fault = null;
        _model.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_call_that_is_cancelled_already_takes_nothing(string call)
    {
        await Cancelled(Ask(call, new CancellationToken(canceled: true)));
        Assert.Equal(0, _pool.Total);
        await StillAnswers();
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Cancelled_while_its_picture_is_prepared_it_gives_the_memory_back(string call)
    {
        using CancellationTokenSource cancel = new();
        _pool.BeforeRent = cancel.Cancel;
        await Cancelled(Ask(call, cancel.Token));
        Assert.Equal(1, _pool.Total);
        _pool.BeforeRent = () => { };
        await StillAnswers();
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Cancelled_while_it_waits_it_leaves_the_queue_at_once(string call)
    {
        using HeldDriver held = new();
        Task<Classification> computing = _model.ClassifyAsync(_image, Cancellation);
        held.Entered.Wait(Cancellation);
        using CancellationTokenSource cancel = new();
        Task waiting = Ask(call, cancel.Token);
        await Until(() => _model.QueueLength == 1);
        cancel.Cancel();
        Assert.Equal((0, 1), (_model.QueueLength, _pool.Lent)); // the one that is being computed
        await Cancelled(waiting);
        held.Release();
        Assert.Equal(_expected, (await computing).Scores);
        await StillAnswers();
    }

    // Every call of the driver is a moment of computing.
    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Cancelled_while_it_is_computed_it_is_no_longer_waited_for(string call)
    {
        int calls = EngineModels.CallsOf(() => Ask(call, Cancellation).GetAwaiter().GetResult());
        Assert.True(calls > 2, $"{calls} calls");
        int cancelled = 0;
        for (int n = 1; n <= calls; n++)
        {
            using CancellationTokenSource cancel = new();
            int seen = 0;
            VulkanCalls.Fault = _ =>
            {
                if (Interlocked.Increment(ref seen) == n)
                    cancel.Cancel();
                return 0;
            };
            try
            {
                await Ask(call, cancel.Token);
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }
            VulkanCalls.Fault = null;
        }
        Assert.InRange(cancelled, 1, calls);
        await StillAnswers();
    }

    [Theory]
    [InlineData(1)] // before the first byte
    [InlineData(3)] // amid the file
    [InlineData(int.MaxValue)] // at its end: decoding is next
    public async Task Cancelled_while_a_stream_is_read_it_leaves_the_stream_open(int read)
    {
        string path = _folder["a.png"];
        ImageEncoder.SavePng(_image, path);
        using CancellationTokenSource cancel = new();
        using CancellingStream stream = new(await File.ReadAllBytesAsync(path, Cancellation), read, cancel);
        await Cancelled(_model.ClassifyAsync(stream, cancel.Token));
        Assert.False(stream.IsClosed);
        Assert.Equal(0, _pool.Total);
    }

    [Fact]
    public async Task Many_files_that_are_cancelled_amid_leave_nothing()
    {
        string[] paths = [.. Enumerable.Range(0, 40).Select(i => _folder[$"{i}.png"])];
        foreach (string path in paths)
            ImageEncoder.SavePng(_image, path);
        foreach (int after in (int[])[1, 7, 20])
        {
            using CancellationTokenSource cancel = new();
            _pool.BeforeRent = () =>
            {
                if (_pool.Total % 40 == after)
                    cancel.Cancel();
            };
            await Cancelled(_model.EmbedAsync(paths, cancellationToken: cancel.Token));
        }
        _pool.BeforeRent = () => { };
        IReadOnlyList<EmbeddingResult> results = await _model.EmbedAsync(paths, cancellationToken: Cancellation);
        Embedding expected = _model.Embed(_image);
        Assert.All(results, result => Assert.Equal(expected, result.Embedding));
        await StillAnswers();
    }

    // Of 300 calls that wait, none holds a thread: the pool is free for others.
    [Fact]
    public async Task Calls_that_wait_block_no_thread_of_the_pool()
    {
        using HeldDriver held = new();
        Task<Classification>[] answers =
        [
            .. Enumerable.Range(0, 300).Select(_ => _model.ClassifyAsync(_image, Cancellation)),
        ];
        held.Entered.Wait(Cancellation);
        await Until(() => _pool.Lent == answers.Length);
        await Until(() => Busy() <= 2); // this test, and perhaps the runner
        held.Release();
        foreach (Task<Classification> answer in answers)
            Assert.Equal(_expected, (await answer).Scores);
        await StillAnswers();
    }

    [Fact]
    public async Task Disposing_waits_for_what_is_computed_and_blocks_no_thread()
    {
        using HeldDriver held = new();
        Task<Classification> computing = _model.ClassifyAsync(_image, Cancellation);
        held.Entered.Wait(Cancellation);
        Task<Classification> waiting = _model.ClassifyAsync(_image, Cancellation);
        await Until(() => _model.QueueLength == 1);
        ValueTask disposing = _model.DisposeAsync(); // a call that blocked would never come back: Release is below
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        Assert.False(disposing.IsCompleted);
        held.Release();
        Assert.Equal(_expected, (await computing).Scores);
        await disposing;
        await _model.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _model.ClassifyAsync(_image, Cancellation));
        Assert.Equal(0, _pool.Lent);
    }

    // Nobody awaits an answer that was cancelled; its error must not show up later as one that nobody saw.
    [Fact]
    public async Task Errors_of_calls_that_were_cancelled_are_not_unobserved()
    {
        List<Exception> unobserved = [];
        void OnUnobserved(object? sender, UnobservedTaskExceptionEventArgs e)
        {
            lock (unobserved)
                unobserved.Add(e.Exception);
        }
        TaskScheduler.UnobservedTaskException += OnUnobserved;
        try
        {
            await CancelThenFail();
            await StillAnswers(); // the call before has failed by now
            for (int i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            Assert.Empty(unobserved);
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= OnUnobserved;
        }
        await StillAnswers();
    }

    private async Task CancelThenFail()
    {
        using HeldDriver held = new(-2); // VK_ERROR_OUT_OF_DEVICE_MEMORY
        using CancellationTokenSource cancel = new();
        Task<Classification> call = _model.ClassifyAsync(_image, cancel.Token);
        held.Entered.Wait(Cancellation);
        cancel.Cancel();
        await Cancelled(call);
        VulkanCalls.Fault = null;
        held.Release(); // now the call fails, which nobody waits for any more
    }

    private Task Ask(string call, CancellationToken cancellation) =>
        call switch
        {
            "classify" => _model.ClassifyAsync(_image, cancellation),
            "embed" => _model.EmbedAsync(_image, cancellation),
            _ => _model.ComputeAttentionAsync(_image, cancellation),
        };

    private static Task<OperationCanceledException> Cancelled(Task call) =>
        Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);

    private async Task StillAnswers()
    {
        Assert.Equal(_expected, (await _model.ClassifyAsync(_image, Cancellation)).Scores);
        // The engine gives a picture back after it has answered.
        await Until(() => _pool.Lent == 0);
        Assert.Equal(0, _model.QueueLength);
    }

    private static async Task Until(Func<bool> condition)
    {
        for (int i = 0; i < 3000 && !condition(); i++)
            await Task.Delay(10, Cancellation);
        Assert.True(condition());
    }

    private static int Busy()
    {
        ThreadPool.GetMaxThreads(out int most, out _);
        ThreadPool.GetAvailableThreads(out int free, out _);
        return most - free;
    }

    /// <summary>Cancels at one of its reads, or at the one that finds its end.</summary>
    private sealed class CancellingStream(byte[] bytes, int at, CancellationTokenSource cancel) : MemoryStream(bytes)
    {
        private int _reads;

        public bool IsClosed { get; private set; }

        // Its length is not known, as of a network's stream.
        public override bool CanSeek => false;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (++_reads == at || Position == Length)
                cancel.Cancel();
            if (_reads == at)
                cancellationToken.ThrowIfCancellationRequested();
            return base.ReadAsync(buffer[..Math.Min(buffer.Length, 100)], CancellationToken.None);
        }

        protected override void Dispose(bool disposing)
        {
            IsClosed = true;
            base.Dispose(disposing);
        }
    }
}
