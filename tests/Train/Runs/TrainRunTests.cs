using System.Globalization;
using Deit.Cli.Demo;
using Deit.Model;
using Deit.Tests.Train.Training;
using Deit.Train.Options;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Tests.Train.Runs;

/// <summary>Whole trainings, compared byte by byte.</summary>
public sealed class TrainRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data;

    public TrainRunTests() => _data = TinyRun.WritePictures(_folder);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_same_seed_gives_the_same_bytes_and_another_seed_does_not()
    {
        string first = _folder["first"],
            second = _folder["second"],
            other = _folder["other"];
        TrainOptions options = TinyRun.Options(_data, first);
        Assert.Equal(0, TinyRun.Train(options));
        TrainOptions again = options with
        {
            Run = options.Run with { Output = second },
            Data = options.Data with { NumWorkers = 1 },
        };
        Assert.Equal(0, TinyRun.Train(again));
        Assert.Equal(0, TinyRun.Train(options with { Run = options.Run with { Output = other, Seed = 8 } }));
        AssertSameResult(first, second);
        Assert.NotEqual(Bytes(first, "last/model.safetensors"), Bytes(other, "last/model.safetensors"));
    }

    [Theory]
    [InlineData("fp16")]
    [InlineData("bf16")]
    [InlineData("fp16-residual")]
    public void So_it_is_in_reduced_precision(string precision)
    {
        string whole = _folder["whole"],
            pieces = _folder["pieces"],
            full = _folder["full"];
        Assert.Equal(0, TinyRun.Train(InPrecision(whole)));
        Assert.Equal(130, TinyRun.Train(InPrecision(pieces), stopAfter: 2));
        Assert.Equal(0, TinyRun.Resume(pieces));
        AssertSameResult(whole, pieces);
        Assert.Equal(0, TinyRun.Train(TinyRun.Options(_data, full)));
        Assert.NotEqual(Bytes(full, "last/model.safetensors"), Bytes(whole, "last/model.safetensors"));

        TrainOptions InPrecision(string run)
        {
            TrainOptions options = TinyRun.Options(_data, run);
            return options with { Step = options.Step with { Precision = Precision.Parse(precision) } };
        }
    }

    // Stops in the middle of a group of steps whose loss is summed on the device, at the end of an epoch before its evaluation, and early
    // in the next one: 2 | 1, evaluation | 1 | 2 of 2 x 3 steps.
    [Fact]
    public void A_run_that_was_stopped_and_resumed_equals_the_uninterrupted_one()
    {
        string whole = _folder["whole"],
            pieces = _folder["pieces"];
        Assert.Equal(0, TinyRun.Train(TinyRun.Options(_data, whole)));

        Assert.Equal(130, TinyRun.Train(TinyRun.Options(_data, pieces), stopAfter: 1));
        Assert.Equal(130, TinyRun.Resume(pieces, stopAfter: 2));
        Assert.False(
            Directory.Exists(Path.Combine(pieces, "best")),
            "the evaluation ran although the run was told to stop"
        );
        Assert.Equal(130, TinyRun.Resume(pieces, stopAfter: 1));
        Assert.Equal(0, TinyRun.Resume(pieces));
        AssertSameResult(whole, pieces);
    }

    [Fact]
    public void A_finished_run_that_is_resumed_stays_as_it_is()
    {
        string run = _folder["run"];
        Assert.Equal(0, TinyRun.Train(TinyRun.Options(_data, run)));
        byte[] weights = Bytes(run, "last/model.safetensors");
        string log = File.ReadAllText(Path.Combine(run, "log.csv"));
        Assert.Equal(0, TinyRun.Resume(run));
        Assert.Equal(weights, Bytes(run, "last/model.safetensors"));
        Assert.Equal(log, File.ReadAllText(Path.Combine(run, "log.csv")));
    }

    [Fact]
    public void A_run_folder_is_complete_and_best_alone_predicts()
    {
        string run = _folder["run"],
            elsewhere = _folder["elsewhere"];
        Assert.Equal(0, TinyRun.Train(TinyRun.Options(_data, run)));
        string[] expected =
        [
            "args.json",
            "best/config.json",
            "best/model.safetensors",
            "last/config.json",
            "last/model.safetensors",
            "last/optimizer.safetensors",
            "last/state.json",
            "log.csv",
            "log.jsonl",
            "report.html",
        ];
        Assert.Equal(
            expected,
            Directory
                .EnumerateFiles(run, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(run, file).Replace('\\', '/'))
                .Order(StringComparer.Ordinal)
        );
        Assert.Equal(2, File.ReadAllLines(Path.Combine(run, "log.jsonl")).Length);

        Directory.Move(Path.Combine(run, "best"), elsewhere);
        Directory.Delete(run, recursive: true);
        using DeitModel model = DeitModel.Load(elsewhere, Gpu.TestDevice.Any);
        Assert.Equal(DemoDataset.Classes, model.Labels);
        Assert.Equal(DemoDataset.Classes.Length, model.Classify(APicture()).Scores.Count);
    }

    [Fact]
    public void A_loss_that_is_not_finite_stops_the_run_and_spares_the_checkpoints()
    {
        string run = _folder["run"];
        // The schedule's first two epochs have the warm-up's rate: they make `best` and `last`.
        TrainOptions options = TinyRun.Options(_data, run);
        options = options with
        {
            Schedule = options.Schedule with { Epochs = 3, Lr = 1e30, WarmupLr = 1e-3 },
            Optimizer = options.Optimizer with { ClipGrad = null },
        };
        DeitException error = Assert.Throws<DeitException>(() => TinyRun.Train(options));
        Assert.Contains("loss is NaN in epoch 3", error.Message);
        Assert.Contains("--lr", error.Message);
        foreach (string folder in (string[])["last", "best"])
        {
            using DeitModel model = DeitModel.Load(Path.Combine(run, folder), Gpu.TestDevice.Any);
            Assert.All(model.Classify(APicture()).Scores, score => Assert.True(float.IsFinite(score.Probability)));
        }
        TrainState state = new RunCheckpoint(run).ReadState();
        Assert.Equal((2, 0, 2L * TinyRun.StepsPerEpoch), (state.Epoch, state.StepInEpoch, state.Step));
    }

    // The loss of an epoch's last step comes before that step's update: only the evaluation sees the effect of the
    // update.
    [Fact]
    public void Weights_that_the_last_step_ruined_do_not_replace_a_checkpoint()
    {
        string run = _folder["run"];
        TrainOptions options = TinyRun.Options(_data, run);
        options = options with
        {
            Schedule = options.Schedule with { Epochs = 3, Lr = 1e38, WarmupLr = 1e-3 },
            Step = options.Step with { BatchSize = TinyRun.StepsPerEpoch * TinyRun.BatchSize },
            Optimizer = options.Optimizer with { ClipGrad = null },
        };
        DeitException error = Assert.Throws<DeitException>(() => TinyRun.Train(options));
        Assert.Contains("loss is NaN in epoch 3", error.Message);
        using DeitModel model = DeitModel.Load(Path.Combine(run, "last"), Gpu.TestDevice.Any);
        Assert.All(model.Classify(APicture()).Scores, score => Assert.True(float.IsFinite(score.Probability)));
    }

    [Fact]
    public void Pictures_that_cannot_be_read_are_skipped_counted_and_listed()
    {
        string folder = _folder["run"];
        string[] bad =
        [
            Path.Combine(_data, "train", DemoDataset.Classes[0], "0001.png"),
            Path.Combine(_data, "val", DemoDataset.Classes[3], "0000.png"),
        ];
        byte[] whole = File.ReadAllBytes(bad[0]);
        File.WriteAllBytes(bad[0], whole[..(whole.Length / 2)]);
        File.WriteAllText(bad[1], "no picture");
        TrainOptions options = TinyRun.Options(_data, folder);
        using StopSignal stop = new();
        using TrainRun run = TrainRun.Open(options, resume: null, stop);
        Assert.Equal(0, run.Run(stop));
        Assert.Equal(bad.Length, run.Unreadable.Count);
        Assert.All(bad, path => Assert.Contains(run.Unreadable, sentence => sentence.Contains(path)));
    }

    private string APicture() => Path.Combine(_data, "val", DemoDataset.Classes[1], "0001.png");

    private static byte[] Bytes(string run, string file) => File.ReadAllBytes(Path.Combine(run, file));

    private static void AssertSameResult(string expected, string actual)
    {
        foreach (
            string file in (string[])
                ["last/model.safetensors", "last/optimizer.safetensors", "best/model.safetensors", "last/config.json"]
        )
            Assert.True(Bytes(expected, file).AsSpan().SequenceEqual(Bytes(actual, file)), $"{file} differs");
        Assert.Equal(Losses(expected), Losses(actual));
    }

    // Everything of the log but times.
    private static string[] Losses(string run)
    {
        string[][] rows = [.. File.ReadAllLines(Path.Combine(run, "log.csv")).Select(line => line.Split(','))];
        string[] columns = ["epoch", "step", "train_loss", "val_loss", "val_top1", "val_top5", "lr"];
        int[] at = [.. columns.Select(column => Array.IndexOf(rows[0], column))];
        Assert.DoesNotContain(-1, at);
        Assert.Equal(3, rows.Length);
        Assert.All(rows[1..], row => Assert.True(double.Parse(row[at[2]], CultureInfo.InvariantCulture) > 0));
        return [.. rows.Select(row => string.Join(',', at.Select(i => row[i])))];
    }
}
