using Deit.Tests.Train.Training;
using Deit.Train.Options;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Tests.Train.Runs;

/// <summary>Runs whose data changes or cannot be read.</summary>
public sealed class ResumeDataTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data,
        _run;

    public ResumeDataTests() => (_data, _run) = (TinyRun.WritePictures(_folder), _folder["run"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Other_classes_are_refused_and_nothing_is_written()
    {
        Assert.Equal(130, TinyRun.Train(TinyRun.Options(_data, _run), stopAfter: 1));
        string first = Path.GetFileName(Directory.GetDirectories(Path.Combine(_data, "train")).Min()!);
        foreach (string split in new[] { "train", "val" })
            Directory.Move(Path.Combine(_data, split, first), Path.Combine(_data, split, "zebra"));
        string before = Everything();
        DeitException error = Assert.Throws<DeitException>(() => TinyRun.Resume(_run));
        Assert.StartsWith($"Resuming '{_run}' failed: it was trained on the classes '{first}', ", error.Message);
        Assert.Contains("'zebra'; restore them or start a new run.", error.Message);
        Assert.Equal(before, Everything());
    }

    [Fact]
    public void Another_number_of_pictures_is_said_and_goes_on()
    {
        Assert.Equal(130, TinyRun.Train(TinyRun.Options(_data, _run), stopAfter: 1));
        string added = Directory.GetFiles(Path.Combine(_data, "val"), "*.png", SearchOption.AllDirectories)[0];
        File.Copy(added, added + ".png");
        (int code, List<string> notices) = Resume();
        Assert.Equal(0, code);
        Assert.Equal(
            [
                $"'{_data}' has 17 validation images, and had 16 when '{_run}' stopped: "
                    + "the run goes on otherwise than without the stop",
            ],
            notices
        );
        Assert.Empty(Resume().Notices); // the checkpoint has the new number
    }

    [Fact]
    public void A_checkpoint_of_an_older_version_has_no_numbers_and_goes_on()
    {
        Assert.Equal(130, TinyRun.Train(TinyRun.Options(_data, _run), stopAfter: 1));
        string state = Path.Combine(_run, "last", "state.json");
        File.WriteAllLines(
            state,
            File.ReadAllLines(state)
                .Where(line =>
                    !line.Contains("_images", StringComparison.Ordinal)
                    && !line.Contains("never_read", StringComparison.Ordinal)
                    && !line.Contains("best_unread", StringComparison.Ordinal)
                )
        );
        (int code, List<string> notices) = Resume();
        Assert.Equal(0, code);
        Assert.Empty(notices);
    }

    [Fact]
    public void Pictures_that_cannot_be_read_are_said_in_the_first_epoch()
    {
        string[] files = Directory.GetFiles(Path.Combine(_data, "train"), "*.png", SearchOption.AllDirectories);
        foreach (string file in files.Order(StringComparer.Ordinal).Take(5))
            File.WriteAllText(file, "<html>404</html>");
        Watch watch = new();
        using (TrainRun run = TrainRun.Open(TinyRun.Options(_data, _run), null, null, watch))
        using (StopSignal stop = new(_ => { }))
            Assert.Equal(0, run.Run(stop));
        string all = string.Join('\n', watch.Said);
        Assert.Contains(" of 24 training images could not be read and are left out", all);
        Assert.Single(watch.Said, line => line.Contains("could not be read"));
        Assert.True(watch.Said.FindIndex(line => line.Contains("of 24 training")) < watch.Said.IndexOf("epoch 1"), all);
    }

    [Fact]
    public void A_resumed_run_does_not_repeat_what_its_start_said()
    {
        File.Copy(
            Directory.GetFiles(Path.Combine(_data, "train"), "*.png", SearchOption.AllDirectories)[0],
            Path.Combine(_data, "train", "loose.png")
        );
        File.WriteAllText(
            Directory.GetFiles(Path.Combine(_data, "train"), "0000.png", SearchOption.AllDirectories)[0],
            "<html>404</html>"
        );
        Watch watch = new();
        using (StopSignal stop = new())
        using (
            TrainRun run = TrainRun.Open(
                TinyRun.Options(_data, _run),
                null,
                stop,
                watch,
                new TinyRun.StopAfter(stop, 4)
            )
        )
            Assert.Equal(130, run.Run(stop));
        Assert.Contains(watch.Notices, line => line.Contains("beside the folders of the classes"));
        Assert.Single(watch.Said, line => line.StartsWith("1 of 24 training images could not be read and is left out"));
        Watch resumed = new();
        using (StopSignal stop = new())
        using (TrainRun run = TrainRun.Open(TrainOptions.Load(_run), _run, stop, resumed))
            Assert.Equal(0, run.Run(stop));
        Assert.Empty(resumed.Notices);
        Assert.DoesNotContain(resumed.Said, line => line.Contains("could not be read"));
    }

    [Theory]
    [InlineData("train", 13, "13 of 24 training images could not be read, which is more than a half")]
    [InlineData("val", 9, "9 of 16 validation images could not be read, which is more than a half")]
    public void More_than_a_half_ends_the_run_with_its_checkpoint(string split, int damaged, string expected)
    {
        string[] files = Directory.GetFiles(Path.Combine(_data, split), "*.png", SearchOption.AllDirectories);
        Dictionary<string, byte[]> whole = files.ToDictionary(file => file, File.ReadAllBytes);
        foreach (string file in files.Order(StringComparer.Ordinal).Take(damaged))
            File.WriteAllText(file, "<html>404</html>");
        DeitException error = Assert.Throws<DeitException>(() => TinyRun.Train(TinyRun.Options(_data, _run)));
        Assert.Contains(expected, error.Message);
        Assert.Contains($"go on with --resume {_run}, whose checkpoint is intact.", error.Message);
        foreach ((string file, byte[] bytes) in whole)
            File.WriteAllBytes(file, bytes);
        Assert.Equal(0, TinyRun.Resume(_run));
    }

    private (int Code, List<string> Notices) Resume()
    {
        Watch watch = new();
        using TrainRun run = TrainRun.Open(TrainOptions.Load(_run), _run, null, watch);
        using StopSignal stop = new(_ => { });
        int code = run.Run(stop);
        return (code, watch.Notices);
    }

    private string Everything() =>
        string.Join(
            '\n',
            Directory
                .GetFiles(_run, "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .Select(file => $"{file} {Convert.ToHexString(File.ReadAllBytes(file))}")
        );

    private sealed class Watch : ITrainingObserver
    {
        public List<string> Said { get; } = [];

        public List<string> Notices { get; private set; } = [];

        public void Started(TrainingSession session, TrainState state, bool resumed) =>
            Notices = [.. session.Plan.Notices];

        public void Noticed(string notice) => Said.Add(notice);

        public void EpochEvaluated(EpochResult result) => Said.Add($"epoch {result.Epoch + 1}");
    }
}
