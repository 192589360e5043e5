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
            _ => TinyRun.Options(_data, path),
        };
        options = options with { Step = options.Step with { BatchSize = 3, AccumSteps = 4 / ranks } };
        return recipe == "fp16" ? options with { Step = options.Step with { Precision = DType.F16 } } : options;
    }

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
    [InlineData("complete")]
    [InlineData("fp16")]
    public void Any_number_of_ranks_trains_to_the_same_bytes(string recipe)
    {
        foreach (int ranks in (int[])[1, 2, 4])
            Assert.Equal(0, Train(Options($"{ranks}", ranks, recipe), ranks));
        AssertSame("1", "2");
        AssertSame("1", "4");
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

        static TrainOptions Longer(TrainOptions options) =>
            options with
            {
                Schedule = options.Schedule with { Epochs = 6 },
            };
    }
}
