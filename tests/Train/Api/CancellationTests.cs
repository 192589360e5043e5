using Deit.Tests.Train.Training;
using Deit.Train;

namespace Deit.Tests.Train.Api;

/// <summary>A program that stops a training, and goes on with it.</summary>
public sealed class CancellationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data;

    public CancellationTests() => _data = TinyRun.WritePictures(_folder);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_cancelled_before_it_begins_writes_nothing()
    {
        CancellationToken cancelled = new(canceled: true);
        Task<TrainingResult> task = TrainingRun.StartAsync(
            ApiRun.Options(_data, _folder["run"]),
            cancellationToken: cancelled
        );
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        Assert.True(task.IsCanceled);
        Assert.False(Path.Exists(_folder["run"]));
        Assert.False(TrainingRun.Exists(_folder["run"]));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            TrainingRun.EvaluateAsync("nothing", _data, cancellationToken: cancelled)
        );
    }

    /// <summary>In the first epoch; at its end, so that the evaluation is cancelled; in the second; and at the very
    /// start.</summary>
    [Theory]
    [InlineData(1, 2, false)]
    [InlineData(1, 3, false)]
    [InlineData(2, 2, true)]
    [InlineData(1, 0, false)]
    public async Task A_training_that_is_cancelled_and_resumed_equals_the_uninterrupted_one(
        int epoch,
        int step,
        bool best
    )
    {
        string whole = _folder["whole"],
            pieces = _folder["pieces"];
        await TrainingRun.StartAsync(ApiRun.Options(_data, whole), cancellationToken: Token);
        using CancellationTokenSource cancel = new();
        Task<TrainingResult> task = TrainingRun.StartAsync(
            ApiRun.Options(_data, pieces),
            new ApiRun.Told(now =>
            {
                if ((now.Epoch, now.Step) == (epoch, step))
                    cancel.Cancel();
            }),
            cancel.Token
        );
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        Assert.True(task.IsCanceled);
        Assert.True(TrainingRun.Exists(pieces));
        Assert.Equal(best, Directory.Exists(Path.Combine(pieces, "best")));

        TrainingResult result = await TrainingRun.ResumeAsync(pieces, cancellationToken: Token);
        ApiRun.AssertSame(whole, pieces);
        Assert.Equal((ApiRun.Epochs, 6L), (result.Epochs, result.Steps));
        Assert.Equal(best ? [2] : [1, 2], result.History.Select(figures => figures.Epoch));
    }

    [Fact]
    public async Task A_complete_run_stays_as_it_is_and_goes_on_with_more_epochs()
    {
        string run = _folder["run"];
        TrainingResult first = await TrainingRun.StartAsync(ApiRun.Options(_data, run), cancellationToken: Token);
        string weights = ApiRun.Hash(run);
        TrainingResult again = await TrainingRun.ResumeAsync(run, cancellationToken: Token);
        Assert.Equal(weights, ApiRun.Hash(run));
        Assert.Empty(again.History);
        Assert.Equal((first.BestTop1, first.BestModel), (again.BestTop1, again.BestModel));

        TrainingResult more = await TrainingRun.ResumeAsync(
            run,
            new ResumeOptions { Epochs = 3 },
            cancellationToken: Token
        );
        Assert.Equal([3], more.History.Select(figures => figures.Epoch));
        Assert.Contains(more.Notices, notice => notice.Contains("3 epochs from now on", StringComparison.Ordinal));
        DeitException error = await Assert.ThrowsAsync<DeitException>(() =>
            TrainingRun.ResumeAsync(run, new ResumeOptions { Epochs = 2 }, cancellationToken: Token)
        );
        Assert.Equal(DeitErrorKind.Usage, error.Kind);
    }

    [Fact]
    public async Task A_run_goes_on_on_data_that_has_moved()
    {
        string whole = _folder["whole"],
            moved = _folder["moved"],
            run = _folder["run"];
        await TrainingRun.StartAsync(ApiRun.Options(_data, whole), cancellationToken: Token);
        using CancellationTokenSource cancel = new();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            TrainingRun.StartAsync(ApiRun.Options(_data, run), new ApiRun.Told(_ => cancel.Cancel()), cancel.Token)
        );
        Directory.Move(_data, moved);
        DeitException error = await Assert.ThrowsAsync<DeitException>(() =>
            TrainingRun.ResumeAsync(run, cancellationToken: Token)
        );
        Assert.Equal(DeitErrorKind.Data, error.Kind);
        await TrainingRun.ResumeAsync(run, new ResumeOptions { Data = moved, Workers = 1 }, cancellationToken: Token);
        ApiRun.AssertSame(whole, run);
    }
}
