using Deit.Cli.Demo;
using Deit.Model;
using Deit.Tests.Train.Training;
using Deit.Train.Options;

namespace Deit.Tests.Cli;

/// <summary>Fine-tuning and longer runs from the command line.</summary>
public sealed class FineTuneTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data;

    public FineTuneTests() => _data = TinyRun.WritePictures(_folder);

    public void Dispose() => _folder.Dispose();

    private string Run => _folder["run"];

    [Fact]
    public async Task A_complete_run_names_the_flag_that_extends_it_and_is_extended_with_it()
    {
        Assert.Equal(0, TinyRun.Train(TinyRun.Options(_data, Run)));
        (int exitCode, string output, string error) = await DeitProcess.Run("train", "--resume", Run);
        Assert.True(exitCode == 0, error);
        Assert.Contains(
            $"a complete run: all its 2 epochs are done; go on with: deit train --resume {Run} --epochs 4",
            output + error
        );
        (exitCode, output, error) = await DeitProcess.Run("train", "--resume", Run, "--epochs", "3");
        Assert.True(exitCode == 0, error);
        Assert.Contains(
            "Notice   the run has 3 epochs from now on, and had 2: the learning rate of epoch 3 is",
            output + error
        );
        Assert.Contains("epoch 3/3", output + error);
        Assert.Equal(3, TrainOptions.Load(Run).Schedule.Epochs);
    }

    [Fact]
    public async Task Nothing_else_of_a_run_can_be_changed()
    {
        Assert.Equal(130, TinyRun.Train(TinyRun.Options(_data, Run), stopAfter: 1));
        string args = Path.Combine(Run, TrainOptions.FileName);
        string before = File.ReadAllText(args);
        await Fails("--epochs 2", $"--epochs 2 with --resume extends a run, and '{Run}' has 2 epochs already");
        await Fails("--epochs 4 --freeze 1", "--freeze cannot be changed; drop it or start a new run");
        await Fails("--layer-decay 0.5", "--layer-decay cannot be changed");
        Assert.Equal(before, File.ReadAllText(args));

        Task Fails(string flags, string expected) =>
            FineTuneTests.Fails(["train", "--resume", Run, .. flags.Split(' ')], expected);
    }

    [Fact]
    public async Task The_recipe_needs_weights_that_fit()
    {
        string[] recipe = ["train", "--data", _data, "--output", Run, "--recipe", "finetune", "--batch-size", "8"];
        await Fails(recipe, "--recipe finetune goes on from trained weights");
        TinyRun.WriteModel(_folder["other"], TinyRun.Config with { EmbedDim = 16 }, DemoDataset.Classes);
        await Fails(
            [
                .. recipe,
                .. "--embed-dim 32 --depth 2 --num-heads 2 --patch-size 8 --input-size 32 --finetune".Split(' '),
                _folder["other"],
            ],
            "give the model that the weights are of",
            code: 3
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Weights_alone_say_what_network_is_trained(bool distilled)
    {
        DeitConfig config = TinyRun.Config with { Distilled = distilled, NumClasses = 3 };
        TinyRun.WriteModel(_folder["own"], config);
        string[] recipe = ["train", "--data", _data, "--output", Run, "--recipe", "finetune", "--epochs", "1"];
        (int exitCode, string output, string error) = await DeitProcess.Run([
            .. recipe,
            "--batch-size",
            "8",
            "--finetune",
            _folder["own"],
        ]);
        Assert.True(exitCode == 0, output + error);
        using ModelSource trained = ModelSource.Open(Path.Combine(Run, "best"));
        Assert.Equal(config with { NumClasses = 8, Distilled = false }, trained.Description.Config);
        const string Notice = "Notice   the weights have a distillation token, which learns nothing without a teacher";
        Assert.Equal(distilled, (output + error).Contains(Notice, StringComparison.Ordinal));
    }

    /// <summary>A file that sets the network, be it to the default, means that one.</summary>
    [Theory]
    [InlineData("""{ "distilled": true }""")]
    [InlineData("""{ "patch_size": 8 }""")]
    [InlineData("""{ "model": "deit_tiny_patch16_224" }""")]
    public async Task A_recipe_that_describes_a_network_is_not_overruled_by_the_weights(string recipe)
    {
        TinyRun.WriteModel(_folder["own"], TinyRun.Config);
        File.WriteAllText(_folder["recipe.json"], recipe);
        await Fails(
            [
                .. $"train --input-size 32 --batch-size 8 --epochs 1 --data {_data} --output {Run}".Split(' '),
                .. $"--recipe {_folder["recipe.json"]} --finetune {_folder["own"]}".Split(' '),
            ],
            "give the model that the weights are of",
            code: 3
        );
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("--model deit_tiny_patch16_224", true)]
    [InlineData("--distilled", true)]
    public async Task A_saved_recipe_names_the_network_where_somebody_did(string flags, bool named)
    {
        string[] save = ["train", "--recipe", "finetune", "--save-recipe", _folder["recipe.json"]];
        (int exitCode, string output, string error) = await DeitProcess.Run([
            .. save,
            .. flags.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        ]);
        Assert.True(exitCode == 0, output + error);
        Assert.Equal(named, File.ReadAllText(_folder["recipe.json"]).Contains("\"model\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(
        "--batch-size 64",
        "an epoch of the training set has 24, which makes no whole batch; lower --batch-size to at most that"
    )]
    [InlineData("--batch-size 8 --accum-steps 4", "lower --accum-steps or --batch-size")]
    public async Task Fewer_pictures_than_a_batch_have_a_remedy(string flags, string expected) =>
        await Fails(
            [
                .. "train --recipe plain --embed-dim 32 --depth 2 --num-heads 2 --patch-size 8 --input-size 32".Split(
                    ' '
                ),
                .. flags.Split(' '),
                "--data",
                _data,
                "--output",
                Run,
            ],
            expected
        );

    private static async Task Fails(string[] arguments, string expected, int code = 2)
    {
        (int exitCode, _, string error) = await DeitProcess.Run(arguments);
        string line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(code, exitCode);
        Assert.Contains(expected, line);
    }
}
