using System.Text.Json;
using Deit.Model;
using Deit.Tests.Cli;
using Deit.Tests.Train.Training;
using Deit.Train;

namespace Deit.Tests.Train.Api;

/// <summary>Trainings that a program starts, compared with those of the command.</summary>
public sealed class TrainingRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data;

    public TrainingRunTests() => _data = TinyRun.WritePictures(_folder);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_program_trains_to_the_bits_of_the_command()
    {
        string command = _folder["command"],
            program = _folder["program"];
        (int code, _, string error) = await DeitProcess.Run(ApiRun.Command(_data, command));
        Assert.True(code == 0, error);
        TrainingResult result = await TrainingRun.StartAsync(ApiRun.Options(_data, program), cancellationToken: Token);
        ApiRun.AssertSame(command, program);
        // The same settings, so that the command can go on with what a program began.
        Assert.Equal(
            Settings(command).Where(setting => setting.Key != "output"),
            Settings(program).Where(setting => setting.Key != "output")
        );
        Assert.Equal((program, ApiRun.Epochs, 6L), (result.Output, result.Epochs, result.Steps));
        Assert.Equal(_folder[Path.Combine("program", "best")], result.BestModel);
        Assert.Null(result.AverageModel);
        Assert.Equal(result.BestTop1, result.History.Max(epoch => epoch.Top1));
        using DeitModel model = DeitModel.Load(result.BestModel, Gpu.TestDevice.Any);
        Assert.Equal(8, model.Labels.Count);
    }

    // A recipe, weights whose network nobody names, a moving average, and what else the defaults decide.
    [Fact]
    public async Task So_it_is_from_a_recipe_and_weights()
    {
        string weights = _folder["weights"],
            command = _folder["command"],
            program = _folder["program"];
        TinyRun.WriteModel(weights, TinyRun.Config);
        string[] typed =
        [
            .. (string[])["train", "--data", _data, "--output", command, "--recipe", "finetune", "--finetune", weights],
            .. "--epochs 1 --batch-size 8 --no-report --tune off".Split(' '),
        ];
        (int code, _, string error) = await DeitProcess.Run(typed);
        Assert.True(code == 0, error);
        TrainingResult result = await TrainingRun.StartAsync(
            new TrainingOptions
            {
                Data = _data,
                Output = program,
                Recipe = "finetune",
                Weights = weights,
                Epochs = 1,
                BatchSize = 8,
                Flags = new Dictionary<string, string> { ["--report"] = "false", ["tune"] = "off" },
            },
            cancellationToken: Token
        );
        ApiRun.AssertSame(command, program);
        Assert.Equal(
            ApiRun.Hash(command, "best_ema/model.safetensors"),
            ApiRun.Hash(result.AverageModel!, "model.safetensors")
        );
        Assert.False(File.Exists(Path.Combine(program, "report.html")));
    }

    [Fact]
    public async Task Progress_tells_the_point_and_each_epoch_on_a_thread_of_its_own()
    {
        List<TrainingProgress> told = [];
        bool inPool = false;
        ApiRun.Told progress = new(now =>
        {
            inPool |= Thread.CurrentThread.IsThreadPoolThread;
            told.Add(now);
        });
        TrainingResult result = await TrainingRun.StartAsync(ApiRun.Options(_data, _folder["run"]), progress, Token);
        Assert.False(inPool);
        Assert.Equal((1, 0, 0.0), (told[0].Epoch, told[0].Step, told[0].Fraction));
        Assert.All(told, now => Assert.Equal((2, 3, result.Device), (now.Epochs, now.Steps, now.Device)));
        // The loss is read every two steps and at the end of an epoch.
        Assert.Equal(
            [(1, 2), (1, 3), (2, 2), (2, 3)],
            told.Where(now => now is { Loss: not null, Evaluated: null, Notice: null })
                .Select(now => (now.Epoch, now.Step))
        );
        Assert.Equal(told.Select(now => now.Fraction).Order(), told.Select(now => now.Fraction));
        Assert.Equal(1, told[^1].Fraction);
        Assert.Equal(result.History, told.Select(now => now.Evaluated).OfType<EpochFigures>());
        Assert.Equal([1, 2], result.History.Select(epoch => epoch.Epoch));
    }

    [Fact]
    public async Task An_exception_of_the_listener_ends_the_training_and_comes_out()
    {
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            TrainingRun.StartAsync(
                ApiRun.Options(_data, _folder["run"]),
                new ApiRun.Told(now => throw new InvalidOperationException("the window is gone")),
                Token
            )
        );
        Assert.Equal("the window is gone", error.Message);
    }

    [Fact]
    public async Task Two_trainings_at_once_give_the_bits_of_each_alone()
    {
        TrainingOptions first = ApiRun.Options(_data, _folder["first"]),
            second = ApiRun.Options(_data, _folder["second"]) with { Seed = 8 };
        await Task.WhenAll(
            TrainingRun.StartAsync(first, cancellationToken: Token),
            TrainingRun.StartAsync(second, cancellationToken: Token)
        );
        await TrainingRun.StartAsync(first with { Output = _folder["alone"] }, cancellationToken: Token);
        await TrainingRun.StartAsync(second with { Output = _folder["other"] }, cancellationToken: Token);
        ApiRun.AssertSame(_folder["alone"], _folder["first"]);
        ApiRun.AssertSame(_folder["other"], _folder["second"]);
        Assert.NotEqual(ApiRun.Hash(_folder["first"]), ApiRun.Hash(_folder["second"]));
    }

    [Fact]
    public async Task An_evaluation_has_the_figures_of_the_command()
    {
        string model = _folder["model"];
        TinyRun.WriteModel(model, TinyRun.Config, labels: Deit.Cli.Demo.DemoDataset.Classes);
        (int code, string output, string error) = await DeitProcess.Run(
            "eval",
            "--model",
            model,
            "--data",
            _data,
            "--split",
            "all",
            "--json",
            "--tune",
            "off"
        );
        Assert.True(code == 0, error);
        JsonElement expected = JsonDocument.Parse(output).RootElement;
        EvaluationResult result = await TrainingRun.EvaluateAsync(
            model,
            _data,
            new EvaluateOptions { Split = "all", KernelBudget = TimeSpan.Zero },
            Token
        );
        Assert.Equal(expected.GetProperty("top1").GetDouble(), result.Top1);
        Assert.Equal(expected.GetProperty("top5").GetDouble(), result.Top5);
        Assert.Equal(expected.GetProperty("loss").GetDouble(), result.Loss);
        Assert.Equal(40, result.Images);
        Assert.Equal(
            expected.GetProperty("classes").EnumerateArray().Select(one => one.GetProperty("right").GetInt32()),
            result.Classes.Select(one => one.Right)
        );
        Assert.Equal(40, result.Predictions.Count);
        Assert.All(
            result.Predictions,
            one => Assert.Equal(one.Label, Path.GetFileName(Path.GetDirectoryName(one.Name)))
        );
        Assert.Equal(result.Top1, result.Predictions.Count(one => one.Label == one.Answer) / 40.0);
    }

    [Fact]
    public void Options_and_results_compare_by_value()
    {
        Assert.Equal(Options("0.65"), Options("0.65"));
        Assert.NotEqual(Options("0.65"), Options("0.75"));
        Assert.Equal(Result(1), Result(1));
        Assert.Equal(Result(1).GetHashCode(), Result(1).GetHashCode());
        Assert.NotEqual(Result(1), Result(2));

        static ResumeOptions Resume() => new() { Epochs = 3 };
        Assert.Equal(Resume(), Resume());

        static TrainingOptions Options(string value) =>
            ApiRun.Options("data", "run") with
            {
                Flags = new Dictionary<string, string> { ["layer-decay"] = value },
            };
        static EvaluationResult Result(int right) =>
            new()
            {
                Images = 2,
                Top1 = 0.5,
                Top5 = 1,
                Loss = 0.5,
                ImagesPerSecond = 1,
                Classes = [new ClassAccuracy("cat", 2, 2, right)],
                Notices = ["a notice"],
            };
    }

    private static Dictionary<string, string> Settings(string run) =>
        JsonDocument
            .Parse(File.ReadAllText(Path.Combine(run, "args.json")))
            .RootElement.EnumerateObject()
            .ToDictionary(setting => setting.Name, setting => setting.Value.GetRawText());
}
