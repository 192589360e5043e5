using Deit.Gpu;
using Deit.Tests.Train.Training;
using Deit.Train.Options;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Tests.Train.Distributed;

/// <summary>Whole trainings of several ranks, compared byte by byte with those of one.</summary>
public sealed class RankRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data;

    public RankRunTests() => _data = TinyRun.WritePictures(_folder);

    public void Dispose() => _folder.Dispose();

    // An update of 4 micro-batches, one an epoch of 24 pictures.
    private TrainOptions Options(string run, int ranks, string recipe = "plain")
    {
        string path = _folder[run];
        TrainOptions options = recipe switch
        {
            "complete" => TinyRun.Complete(_data, path, Teacher()),
            "wide" => Wide(TinyRun.Options(_data, path)),
            _ => TinyRun.Options(_data, path),
        };
        options = options with { Step = options.Step with { BatchSize = 3, AccumSteps = 4 / ranks } };
        return recipe == "fp16" ? options with { Step = options.Step with { Precision = DType.F16 } } : options;
    }

    // 0.4 MB of gradients, several buckets of the smallest size; an update that needs no norm of all gradients.
    private static TrainOptions Wide(TrainOptions options) =>
        options with
        {
            Model = options.Model with { EmbedDim = 64 },
            Optimizer = options.Optimizer with { ClipGrad = null },
            Run = options.Run with { Ranks = new() { BucketMb = 0.1 } },
        };

    private string Teacher()
    {
        string teacher = _folder["teacher"];
        if (!Directory.Exists(teacher))
            TinyRun.WriteModel(teacher, TinyRun.Teacher, DemoLabels);
        return teacher;
    }

    private static IReadOnlyList<string> DemoLabels => Deit.Cli.Demo.DemoDataset.Classes;

    private static int Train(TrainOptions options, int ranks, string? resume = null, int? stopAfter = null)
    {
        using StopSignal stop = new();
        return ThreadRanks.Run(options, resume, new string?[ranks], stop, null, new TinyRun.StopAfter(stop, stopAfter));
    }

    private void AssertSame(string one, string other)
    {
        foreach (
            string file in (string[])["last/model.safetensors", "last/optimizer.safetensors", "best/model.safetensors"]
        )
            Assert.Equal(File.ReadAllBytes(_folder[$"{one}/{file}"]), File.ReadAllBytes(_folder[$"{other}/{file}"]));
        Assert.Equal(Losses(one), Losses(other));
    }

    // Without the columns of time.
    private string[] Losses(string run) =>
        [.. File.ReadAllLines(_folder[$"{run}/log.csv"]).Select(line => string.Join(',', line.Split(',').Take(6)))];

    [Theory]
    [InlineData("plain")]
    [InlineData("wide")]
    [InlineData("complete")]
    [InlineData("fp16")]
    public void Any_number_of_ranks_trains_to_the_same_bytes(string recipe)
    {
        foreach (int ranks in (int[])[1, 2, 4])
            Assert.Equal(0, Train(Options($"{ranks}", ranks, recipe), ranks));
        AssertSame("1", "2");
        AssertSame("1", "4");
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("wide")]
    [InlineData("complete")]
    [InlineData("fp16")]
    public void Ranks_that_update_a_part_of_the_weights_each_train_to_the_same_bytes(string recipe)
    {
        Assert.Equal(0, Train(Options("whole", 2, recipe), 2));
        foreach (int ranks in (int[])[2, 4])
        {
            TrainOptions options = Options($"parts-{ranks}", ranks, recipe);
            RankOptions parts = options.Run.Ranks with { Zero = true, CheckUpdates = true };
            Assert.Equal(0, Train(With(options, parts), ranks));
            AssertSame("whole", $"parts-{ranks}");
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.2, 2)]
    public void Buckets_do_not_change_the_bytes(double megabytes, int buckets)
    {
        Buckets small = new(),
            other = new();
        Assert.Equal(0, Train(Options("small", 2, "wide"), 2, small));
        Assert.Equal(0, Train(With(Options("other", 2, "wide"), new RankOptions { BucketMb = megabytes }), 2, other));
        Assert.InRange(small.Count, 3, 10);
        Assert.Equal(buckets, other.Count);
        AssertSame("small", "other");
    }

    private sealed class Buckets : ITrainingObserver
    {
        public int Count { get; private set; }

        public void Started(TrainingSession session, TrainState state, bool resumed) =>
            Count = session.Step.Buckets.Count;
    }

    private static int Train(TrainOptions options, int ranks, ITrainingObserver observer)
    {
        using StopSignal stop = new();
        return ThreadRanks.Run(options, null, new string?[ranks], stop, null, observer);
    }

    [Theory]
    [InlineData(nameof(GradientReduction.Bf16))]
    [InlineData(nameof(GradientReduction.Native))]
    public void Other_sums_of_gradients_train_to_nearly_the_same_loss(string name)
    {
        GradientReduction reduction = Enum.Parse<GradientReduction>(name);
        Assert.Equal(0, Train(Options("ordered", 2), 2));
        Assert.Equal(0, Train(With(Options("other", 2), new RankOptions { Reduce = reduction }), 2));
        double[] expected = TrainLosses("ordered"),
            actual = TrainLosses("other");
        // A gradient off by 2^-8 of itself moves these few updates by little; without any update the loss would stay.
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 0.01));
        Assert.True(expected[0] - expected[^1] > 0.02, $"the loss fell from {expected[0]} to {expected[^1]}");
        if (reduction == GradientReduction.Bf16) // the sum of two is the same in any order
            Assert.NotEqual(
                File.ReadAllBytes(_folder["ordered/last/model.safetensors"]),
                File.ReadAllBytes(_folder["other/last/model.safetensors"])
            );
        // It decides bits, and so the run keeps it.
        Assert.Equal(reduction, TrainOptions.Load(_folder["other"]).Run.Ranks.Reduce);
    }

    // Rank 0 spoils its weights after the first of three updates of an epoch: with the flag the next update tells.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Weights_that_differ_are_noticed_after_an_update(bool checks)
    {
        TrainOptions options = With(Options("run", 2), new RankOptions { CheckUpdates = checks });
        options = options with { Step = options.Step with { BatchSize = 1 } };
        using StopSignal stop = new();
        Spoiler spoiler = new(stop);
        Assert.Equal(130, ThreadRanks.Run(options, null, new string?[2], stop, null, spoiler));
        Assert.Equal(checks ? 1 : 0, spoiler.Differences);
    }

    private sealed class Spoiler(StopSignal stop) : ITrainingObserver
    {
        private TrainingSession? _session;
        private int _updates;

        public int Differences { get; private set; }

        public void Started(TrainingSession session, TrainState state, bool resumed) => _session = session;

        public void StepDone(TrainState state)
        {
            if (++_updates == 1)
            {
                Tensor weight = _session!.Model.Parameters.Flat.Slice(0, [1]);
                _session.Device.Write<float>(weight, [_session.Device.Read<float>(weight)[0] + 1]);
            }
            // The second loss is read, and notices are told, before the end of the epoch.
            if (_updates == 2)
                stop.Receive(new(System.Runtime.InteropServices.PosixSignal.SIGINT));
        }

        public void Noticed(string notice)
        {
            if (notice.Contains("came to differ", StringComparison.Ordinal))
                Differences++;
        }
    }

    [Fact]
    public void A_run_goes_on_with_and_without_parts_as_if_nothing_had_happened()
    {
        TrainOptions whole = Longer(Options("whole", 2)),
            pieces = Longer(Options("pieces", 2));
        RankOptions parts = new() { Zero = true };
        Assert.Equal(0, Train(whole, 2));
        Assert.Equal(130, Train(With(pieces, parts), 2, stopAfter: 1));
        string run = _folder["pieces"];
        Assert.Equal(130, Train(TrainOptions.Load(run), 1, run, stopAfter: 1));
        Assert.Equal(130, Train(With(TrainOptions.Load(run), parts), 4, run, stopAfter: 1));
        Assert.Equal(0, Train(With(TrainOptions.Load(run), parts), 3, run));
        AssertSame("whole", "pieces");
    }

    [Fact]
    public void Parts_of_the_weights_are_refused_where_the_optimizer_needs_whole_tensors()
    {
        TrainOptions options = With(Options("lamb", 2), new RankOptions { Zero = true });
        options = options with { Optimizer = options.Optimizer with { Kind = OptimizerKind.Lamb } };
        Assert.Contains(
            "needs the norms of whole tensors",
            Assert.Throws<DeitException>(options.Validate).Message,
            StringComparison.Ordinal
        );
    }

    private static TrainOptions With(TrainOptions options, RankOptions ranks) =>
        options with
        {
            Run = options.Run with { Ranks = ranks },
        };

    private static TrainOptions Longer(TrainOptions options) =>
        options with
        {
            Schedule = options.Schedule with { Epochs = 6 },
        };

    private double[] TrainLosses(string run)
    {
        string[] lines = File.ReadAllLines(_folder[$"{run}/log.csv"]);
        int column = Array.IndexOf(lines[0].Split(','), "train_loss");
        return
        [
            .. lines
                .Skip(1)
                .Select(line =>
                    double.Parse(line.Split(',')[column], System.Globalization.CultureInfo.InvariantCulture)
                ),
        ];
    }

    [Fact]
    public void Ranks_may_take_runs_of_different_length()
    {
        Assert.Equal(0, Train(Options("1", 1), 1));
        TrainOptions shared = Options("3-1", 2);
        Assert.Equal(0, Train(shared with { Run = shared.Run with { Ranks = new() { Shares = "3,1" } } }, 2));
        AssertSame("1", "3-1");
    }

    [Fact]
    public void A_run_goes_on_with_another_number_of_ranks_as_if_nothing_had_happened()
    {
        TrainOptions whole = Longer(Options("whole", 2)),
            pieces = Longer(Options("pieces", 2));
        Assert.Equal(0, Train(whole, 2));
        Assert.Equal(130, Train(pieces, 2, stopAfter: 1));
        string run = _folder["pieces"];
        Assert.Equal(130, Train(TrainOptions.Load(run), 1, run, stopAfter: 1));
        // One process without a word of ranks keeps to the order of the sums.
        Assert.Equal(130, TinyRun.Resume(run, stopAfter: 1));
        // Three ranks begin with 1, 1 and 2 of 4 micro-batches, and deal them out anew at each epoch by their speed.
        TrainOptions own = TrainOptions.Load(run);
        own = own with { Run = own.Run with { Ranks = new() { Shares = "auto" } } };
        Assert.Equal(130, Train(own, 3, run, stopAfter: 5));
        Assert.Equal(0, Train(TrainOptions.Load(run), 4, run));
        AssertSame("whole", "pieces");
    }
}
