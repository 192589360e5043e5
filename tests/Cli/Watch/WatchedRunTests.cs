using System.Text;
using Deit.Cli.Watch;
using Deit.Tests.Train.Pages;
using Deit.Train.Options;
using Deit.Train.Runs;

namespace Deit.Tests.Cli.Watch;

/// <summary>A run folder as others leave it while it is watched.</summary>
public sealed class WatchedRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public WatchedRunTests()
    {
        Save(epochs: 2);
        RunLog.Create(_folder.Path).Append(Row(0));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_that_is_extended_has_its_new_epochs()
    {
        WatchedRun run = new(_folder.Path);
        RunLog.Resume(_folder.Path, 1).Append(Row(1));
        Assert.Equal("2 of 2 epochs, complete", run.Status(run.Rows));
        Save(epochs: 5);
        Assert.StartsWith("2 of 5 epochs, nobody trains it", run.Status(run.Rows), StringComparison.Ordinal);
        Assert.Contains("2 of 5", Text(run), StringComparison.Ordinal);
        File.Delete(_folder[TrainOptions.FileName]);
        Assert.StartsWith("2 of 5 epochs", run.Status(run.Rows), StringComparison.Ordinal);
    }

    /// <summary>A process that was killed cannot write that it trains no more.</summary>
    [Fact]
    public void A_page_of_a_training_that_was_killed_does_not_say_that_it_goes_on()
    {
        ReportPage.Of(Facts(RunStatus.Training)).Write(_folder[RunReport.FileName]);
        WatchedRun run = new(_folder.Path);
        using (RunFolder.Open(_folder.Path))
            Assert.Contains("In training. This page renews itself", Text(run), StringComparison.Ordinal);
        string text = Text(run);
        Assert.DoesNotContain("In training.", text, StringComparison.Ordinal);
        Assert.Contains("Nobody trains it", text, StringComparison.Ordinal);
        Assert.Contains($"deit train --resume {_folder.Path}", text, StringComparison.Ordinal);

        ReportPage.Of(Facts(RunStatus.Stopped)).Write(_folder[RunReport.FileName]);
        Assert.Equal(File.ReadAllBytes(_folder[RunReport.FileName]), run.Page());
    }

    private ReportFacts Facts(RunStatus status) =>
        new()
        {
            Folder = _folder.Path,
            Options = TrainOptions.Load(_folder.Path),
            Rows = RunLog.Watch(_folder.Path),
            Status = status,
        };

    private static string Text(WatchedRun run) => PageTests.Parse(Encoding.UTF8.GetString(run.Page()!)).Root!.Value;

    private void Save(int epochs) => new TrainOptions { Schedule = new() { Epochs = epochs } }.Save(_folder.Path);

    private static LogRow Row(int epoch) =>
        new()
        {
            Epoch = epoch,
            Step = epoch + 1,
            TrainLoss = 2,
            ValTop1 = 0.5,
            Lr = 0.1,
            ImagesPerSecond = 9,
            DataWait = 0,
            Seconds = 1,
        };
}
