using Deit.Gpu;
using Deit.Model;
using Deit.Tests.Train.Training;
using Deit.Train;

namespace Deit.Tests.Train.Api;

/// <summary>What a program is told where a training cannot be.</summary>
public sealed class TrainingErrorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data;

    public TrainingErrorTests() => _data = TinyRun.WritePictures(_folder);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("layer-dekay", "0.65", "did you mean")]
    [InlineData("layer-decay", "0,65", "expected a number")]
    [InlineData("no-aug", "yes", "expected true or false")]
    [InlineData("accum-steps", "1.5", "expected a whole number")]
    [InlineData("sched", "sine", "expected one of cosine")]
    [InlineData("layer-decay", "2", "--layer-decay")]
    [InlineData("epochs", "2", "has a property for it")]
    [InlineData("devices", "0,1", "inside of a program")]
    [InlineData("zero", "true", "inside of a program")]
    [InlineData("save-recipe", "file.json", "inside of a program")]
    public async Task A_flag_that_makes_no_sense_is_refused_in_a_sentence(string flag, string value, string expected)
    {
        TrainingOptions options = ApiRun.Options(_data, _folder["run"]);
        Dictionary<string, string> flags = new(options.Flags) { [flag] = value };
        await Refuses(DeitErrorKind.Usage, expected, options with { Flags = flags });
        Assert.False(Path.Exists(_folder["run"]));
    }

    [Fact]
    public async Task A_setting_that_makes_no_sense_is_refused_in_a_sentence()
    {
        TrainingOptions options = ApiRun.Options(_data, _folder["run"]);
        await Refuses(DeitErrorKind.Usage, "--epochs", options with { Epochs = 0 });
        await Refuses(DeitErrorKind.Usage, "--batch-size", options with { BatchSize = 1000 });
        await Refuses(DeitErrorKind.Usage, "There is no recipe 'fine'", options with { Recipe = "fine" });
        await Refuses(DeitErrorKind.Usage, "--finetune", options with { Recipe = "finetune" });
        await Refuses(
            DeitErrorKind.Usage,
            "expected one of",
            options with
            {
                Precision = new Precision(DType.F32, DType.F32, ProductArithmetic.F16x3),
            }
        );
        await Refuses(DeitErrorKind.Data, "nowhere", options with { Data = _folder["nowhere"] });
        await Refuses(
            DeitErrorKind.Output,
            "lies in the data",
            options with
            {
                Output = Path.Combine(_data, "train", "run"),
            }
        );
        await Assert.ThrowsAsync<GpuException>(() =>
            TrainingRun.StartAsync(options with { Device = "no such card" }, cancellationToken: Token)
        );
        Assert.False(Path.Exists(_folder["run"]));
        Assert.Throws<ArgumentNullException>(() =>
        {
            _ = TrainingRun.StartAsync(null!, cancellationToken: Token);
        });
    }

    [Fact]
    public async Task A_folder_that_is_in_use_or_holds_a_run_is_refused()
    {
        TrainingOptions options = ApiRun.Options(_data, _folder["run"]);
        DeitException? error = null;
        await TrainingRun.StartAsync(
            options,
            // The second run asks for the folder while the first is in its first epoch, and waits for nothing.
            new ApiRun.Told(now =>
                error ??= Assert.ThrowsAny<DeitException>(() =>
                    TrainingRun.ResumeAsync(options.Output, cancellationToken: Token).GetAwaiter().GetResult()
                )
            ),
            Token
        );
        Assert.Equal(DeitErrorKind.Output, error?.Kind);
        Assert.Contains("in use", error!.Message);
        await Refuses(DeitErrorKind.Output, "holds a run already", options);
        await Refuses(
            DeitErrorKind.Data,
            "no run folder",
            () => TrainingRun.ResumeAsync(_folder["nowhere"], cancellationToken: Token)
        );
    }

    [Fact]
    public async Task An_evaluation_says_what_is_wrong()
    {
        string model = _folder["model"];
        TinyRun.WriteModel(model, TinyRun.Config);
        await Refuses(
            DeitErrorKind.Data,
            "the model does not have",
            () => TrainingRun.EvaluateAsync(model, _data, cancellationToken: Token)
        );
        await Refuses(
            DeitErrorKind.Usage,
            "is no split",
            () => TrainingRun.EvaluateAsync(model, _data, new EvaluateOptions { Split = "best" }, Token)
        );
        await Refuses(
            DeitErrorKind.Data,
            "nowhere",
            () => TrainingRun.EvaluateAsync(_folder["nowhere"], _data, cancellationToken: Token)
        );
    }

    private static Task Refuses(DeitErrorKind kind, string expected, TrainingOptions options) =>
        Refuses(kind, expected, () => TrainingRun.StartAsync(options, cancellationToken: Token));

    private static async Task Refuses(DeitErrorKind kind, string expected, Func<Task> call)
    {
        DeitException error = await Assert.ThrowsAnyAsync<DeitException>(call);
        Assert.Equal(kind, error.Kind);
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }
}
