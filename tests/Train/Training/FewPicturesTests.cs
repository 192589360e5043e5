using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Tests.Train.Training;

/// <summary>Few pictures, and a recipe that was made for a million.</summary>
public sealed class FewPicturesTests : IDisposable
{
    private const string Notice =
        "24 images are few to train deit_tiny_patch16_224 from random weights, and 300 epochs take long; better: --recipe finetune "
        + "--finetune hf:timm/deit_tiny_patch16_224.fb_in1k;";

    private readonly TemporaryFolder _folder = new();
    private readonly string _data;

    public FewPicturesTests() => _data = TinyRun.WritePictures(_folder);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(300, null, false, true)]
    [InlineData(299, null, false, false)]
    [InlineData(300, 64, false, false)]
    [InlineData(300, null, true, false)]
    public void A_long_training_from_random_weights_is_warned_of(int epochs, int? width, bool resumed, bool said)
    {
        NewRunOptions run = NewRunOptions.Of([]);
        TrainOptions options = run.Options;
        options = options with
        {
            Data = options.Data with { Path = _data },
            Model = options.Model with { EmbedDim = width, Depth = width, NumHeads = width },
            Schedule = options.Schedule with { Epochs = epochs },
        };
        using TrainingPlan plan = new(options, _folder["run"], resumed);
        Assert.Equal(said, plan.Notices.Any(notice => notice.StartsWith(Notice, StringComparison.Ordinal)));
        Assert.Equal(24, plan.Options.Step.BatchSize);
    }

    [Theory]
    [InlineData(64, 2, 12)]
    [InlineData(8, 2, 8)]
    [InlineData(64, 25, null)]
    public void A_batch_is_lowered_so_that_an_update_fits(int batch, int accumulated, int? expected)
    {
        TrainOptions options = TinyRun.Plain(batch);
        options = options with
        {
            Data = options.Data with { Path = _data },
            Model = options.Model with { InputSize = 32 },
            Step = options.Step with { AccumSteps = accumulated, MayLowerBatch = true },
        };
        if (expected is null)
        {
            Assert.Throws<DeitException>(() => new TrainingPlan(options, _folder["run"], resumed: false));
            return;
        }
        using TrainingPlan plan = new(options, _folder["run"], resumed: false);
        Assert.Equal(expected, plan.Options.Step.BatchSize);
        Assert.Equal(
            batch != expected,
            plan.Notices.Any(notice => notice.StartsWith("a batch has ", StringComparison.Ordinal))
        );
    }
}
