using Deit.Model;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Loading;
using Deit.Train.Options;
using Deit.Train.Schedules;

namespace Deit.Tests.Train.Options;

public sealed class RecipeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Deit_is_the_default() => Assert.Equal(new TrainOptions(), Recipe.Load("deit"));

    [Fact]
    public void Those_of_experiments_come_along()
    {
        Assert.Equal(
            (64, 4, 14),
            (
                Recipe.Load("distillation-student").EmbedDim,
                Recipe.Load("distillation-student").Depth,
                Recipe.Load("distillation-student").Epochs
            )
        );
        Assert.Equal(24, Recipe.Load("distillation-teacher").Epochs);
        Assert.All(Recipe.Names, name => Recipe.Load(name));
    }

    [Fact]
    public void Fine_tuning_at_384_is_the_references_command()
    {
        TrainOptions options = Recipe.Load("finetune384");
        Schedule schedule = options.Schedule();
        Assert.Equal(
            (512, 384, 30, 1e-8),
            (options.UpdateImages, options.InputSize!.Value.Height, options.Epochs, options.WeightDecay)
        );
        // Constant once the warm-up is over.
        Assert.All(Enumerable.Range(6, 24), epoch => Assert.Equal(5e-6, schedule.LearningRate(epoch), 1e-20));
    }

    [Fact]
    public void Transfer_is_what_the_author_says()
    {
        TrainOptions options = Recipe.Load("transfer");
        Assert.Equal(
            ("sgd", 768, 0.01, 1e-4, 1000, 0.0, 0.0),
            (
                options.Opt,
                options.UpdateImages,
                options.Schedule().Lr,
                options.Sgd().WeightDecay,
                options.Epochs,
                options.Reprob,
                options.DropPath
            )
        );
    }

    [Fact]
    public void Plain_has_crop_and_flip_alone()
    {
        TrainOptions options = Recipe.Load("plain");
        Assert.Equal(new TrainTransformOptions { InputSize = 37, AutoAugment = "" }, options.TransformOptions(37));
        Assert.False(options.Mixing().Enabled);
        Assert.IsType<RandomSampler>(options.Sampler(300));
    }

    [Fact]
    public void Flags_come_after_the_recipe()
    {
        TrainOptions options = TrainOptionsTests.Parse("--lr 0.5 --model-ema-decay 0.9", Recipe.Load("transfer"));
        Assert.Equal((0.5, 0.9, "sgd"), (options.Lr, options.ModelEmaDecay, options.Opt));
    }

    [Theory]
    [InlineData("")]
    [InlineData(
        "--embed-dim 96 --depth 4 --num-heads 3 --input-size 96x64 --clip-grad 0.5 --aa none --no-model-ema --opt momentum --distillation-type hard"
    )]
    [InlineData("--regnet 48,27.89,2.09,16,8 --no-repeated-aug --mixup 0.3")]
    public void A_recipe_that_was_saved_is_loaded_unchanged_without_what_belongs_to_the_run(string line)
    {
        TrainOptions options = TrainOptionsTests.Parse(line);
        Recipe.Save(
            options with
            {
                Data = "somewhere",
                Output = "else",
                Seed = 5,
                TeacherPath = "t",
            },
            _folder["recipe.json"]
        );
        Assert.Equal(options, Recipe.Load(_folder["recipe.json"]));
        Assert.DoesNotContain("somewhere", File.ReadAllText(_folder["recipe.json"]));
    }

    [Theory]
    [InlineData("""{ "drop_pathh": 0.1 }""", "unknown key 'drop_pathh'; did you mean 'drop_path'")]
    [InlineData("""{ "output": "x" }""", "unknown key 'output'")]
    [InlineData("""{ "lr": "fast" }""", "the value \"fast\" of 'lr'")]
    [InlineData("""{ "aa": null }""", "the value null of 'aa'")]
    [InlineData("""{ "epochs": 3""", "cannot be read")]
    [InlineData("""[1]""", "no JSON object")]
    public void A_damaged_recipe_is_refused_in_one_sentence(string json, string expected)
    {
        string path = _folder["recipe.json"];
        File.WriteAllText(path, json);
        string message = Assert.Throws<DeitException>(() => Recipe.Load(path)).Message;
        Assert.Contains(expected, message);
        Assert.Contains(path, message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void An_unknown_recipe_names_those_there_are() =>
        Assert.Contains(
            "deit, finetune384, transfer, plain",
            Assert.Throws<DeitException>(() => Recipe.Load("resnet")).Message
        );
}
