using Deit.Model;
using Deit.Tests.Train.Training;
using Deit.Train.Options;

namespace Deit.Tests.Train.Runs;

/// <summary>Runs that fine-tune a model.</summary>
public sealed class FrozenRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public FrozenRunTests() => TinyRun.WriteModel(_folder["start"], TinyRun.Config);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("1")]
    [InlineData("backbone")]
    public void A_stopped_and_resumed_run_equals_the_uninterrupted_one(string freeze) =>
        ResumedRun.AssertEqual(options => FineTuned(options, freeze));

    [Fact]
    public void The_files_of_a_run_keep_the_frozen_weights_and_no_moments_of_them()
    {
        string data = TinyRun.WritePictures(_folder),
            run = _folder["run"];
        Assert.Equal(0, TinyRun.Train(FineTuned(TinyRun.Options(data, run), "backbone")));
        using ModelSource start = ModelSource.Open(_folder["start"]);
        foreach (string folder in (string[])["last", "best", "best_ema"])
        {
            using ModelSource end = ModelSource.Open(Path.Combine(run, folder));
            foreach (string name in start.Weights.Shapes.Keys)
                Assert.True(
                    name.StartsWith("head.", StringComparison.Ordinal)
                        != start.Weights.Read(name).SequenceEqual(end.Weights.Read(name)),
                    $"{folder}: {name}"
                );
        }
        // Two moments of the head's 32 * 8 weights and 8 biases, which take 64 elements.
        long bytes = new FileInfo(Path.Combine(run, "last", "optimizer.safetensors")).Length;
        Assert.InRange(bytes, 2 * (256 + 64) * sizeof(float), (2 * (256 + 64) * sizeof(float)) + 1024);
    }

    [Fact]
    public void A_number_of_blocks_that_the_model_lacks_is_found_before_anything_is_written()
    {
        string data = TinyRun.WritePictures(_folder),
            run = _folder["run"];
        DeitException error = Assert.Throws<DeitException>(() =>
            TinyRun.Train(FineTuned(TinyRun.Options(data, run), "99"))
        );
        Assert.StartsWith("--freeze is 99, the model has 2 blocks", error.Message);
        Assert.False(Directory.Exists(run));
    }

    private TrainOptions FineTuned(TrainOptions options, string freeze) =>
        options with
        {
            Model = options.Model with { Finetune = _folder["start"], Freeze = freeze },
            Optimizer = options.Optimizer with { LayerDecay = 0.8 },
            Average = new() { Decay = 0.9, Warmup = true },
        };
}
