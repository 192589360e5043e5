using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Loading;
using Deit.Train.Optimizers;
using Deit.Train.Options;
using Deit.Train.Schedules;
using Deit.Train.Training;

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
        TrainOptions student = Recipe.Load("distillation-student");
        Assert.Equal((64, 4, 14), (student.Model.EmbedDim, student.Model.Depth, student.Schedule.Epochs));
        Assert.Equal(24, Recipe.Load("distillation-teacher").Schedule.Epochs);
        Assert.All(Recipe.Names, name => Recipe.Load(name));
    }

    [Fact]
    public void Fine_tuning_at_384_is_the_references_command()
    {
        TrainOptions options = Recipe.Load("finetune384");
        ISchedule schedule = options.LearningRates();
        Assert.Equal(
            (512, 384, 30, 1e-8),
            (
                options.Step.UpdateImages,
                options.Model.InputSize!.Value.Height,
                options.Schedule.Epochs,
                options.Optimizer.WeightDecay
            )
        );
        // Constant once the warm-up is over.
        Assert.All(Enumerable.Range(6, 24), epoch => Assert.Equal(5e-6, schedule.LearningRate(epoch, []), 1e-20));
    }

    // The rate at the end of the warm-up belongs to the recipe's own batch; another batch scales it.
    [Fact]
    public void Fine_tuning_sees_each_picture_once_an_epoch_and_its_rate_falls_towards_the_input()
    {
        TrainOptions options = Recipe.Load("finetune");
        Assert.InRange(options.Schedule.Epochs, 20, 30);
        Assert.InRange(options.Optimizer.LayerDecay, 0.65, 0.75);
        Assert.Equal((OptimizerKind.AdamW, 0.1), (options.Optimizer.Kind, options.Model.DropPath));
        Assert.IsType<RandomSampler>(options.Sampler(200));
        Assert.False(options.Augmentation.Mixing().Enabled);
        Assert.Equal((true, true), (options.Average.Enabled, options.Average.Warmup));
        double peak = ScheduleList.Peak(options.Schedule, options.Step.UpdateImages);
        Assert.True(peak > options.Schedule.MinLr && peak > options.Schedule.WarmupLr, $"{peak}");
    }

    // timm's ModelEmaV3: the first update takes the weights, then 1 - 2^(-2/3), 1 - 3^(-2/3); 1 - 1000^(-2/3) is 0.99.
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0.3700394751)]
    [InlineData(2, 0.5192501430)]
    [InlineData(999, 0.99)]
    [InlineData(10_000_000, 0.9998)]
    public void A_moving_average_that_warms_up_grows_to_its_decay(long update, double decay)
    {
        AverageOptions average = new() { Decay = 0.9998, Warmup = true };
        Assert.Equal(decay, average.DecayAt(update), 1e-9);
        Assert.Equal(0.9998, (average with { Warmup = false }).DecayAt(update));
    }

    [Fact]
    public void Transfer_is_what_the_author_says()
    {
        TrainOptions options = Recipe.Load("transfer");
        Assert.Equal(
            (OptimizerKind.Sgd, 768, 0.01, 1e-4, 1000, 0.0, 0.0),
            (
                options.Optimizer.Kind,
                options.Step.UpdateImages,
                ScheduleList.Peak(options.Schedule, options.Step.UpdateImages),
                options.Optimizer.Sgd().WeightDecay,
                options.Schedule.Epochs,
                options.Augmentation.ErasingProbability,
                options.Model.DropPath
            )
        );
    }

    [Fact]
    public void Plain_has_crop_and_flip_alone()
    {
        TrainOptions options = Recipe.Load("plain");
        Assert.Equal(
            new TrainTransformOptions { InputSize = 37, AutoAugment = "" },
            options.Augmentation.TransformOptions(37)
        );
        Assert.False(options.Augmentation.Mixing().Enabled);
        Assert.IsType<RandomSampler>(options.Sampler(300));
    }

    [Fact]
    public void Flags_come_after_the_recipe()
    {
        TrainOptions options = TrainOptionsTests.Parse("--lr 0.5 --model-ema-decay 0.9", Recipe.Load("transfer"));
        Assert.Equal(
            (0.5, 0.9, OptimizerKind.Sgd),
            (options.Schedule.Lr, options.Average.Decay, options.Optimizer.Kind)
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData(
        "--embed-dim 96 --depth 4 --num-heads 3 --input-size 96x64 --clip-grad 0.5 --aa none "
            + "--no-model-ema --opt momentum --distillation-type hard"
    )]
    [InlineData("--sched multistep --decay-milestones 3 17 --precision bf16-residual --remode rand")]
    [InlineData("--regnet 48,27.89,2.09,16,8 --no-repeated-aug --mixup 0.3")]
    [InlineData("--layer-decay 0.65 --freeze backbone --model-ema-warmup")]
    public void A_recipe_that_was_saved_is_loaded_unchanged_without_what_belongs_to_the_run(string line)
    {
        TrainOptions options = TrainOptionsTests.Parse(line);
        Recipe.Save(
            options with
            {
                Data = options.Data with { Path = "somewhere" },
                Run = options.Run with { Output = "else", Seed = 5 },
                Distillation = options.Distillation with { TeacherPath = "t" },
            },
            _folder["recipe.json"]
        );
        Assert.Equal(options, Recipe.Load(_folder["recipe.json"]));
        Assert.DoesNotContain("somewhere", File.ReadAllText(_folder["recipe.json"]));
    }

    [Theory]
    [InlineData("""{ "drop_pathh": 0.1 }""", "unknown key 'drop_pathh'; did you mean 'drop_path'")]
    [InlineData("""{ "output": "x" }""", "unknown key 'output'")]
    [InlineData("""{ "opt": "adam" }""", "the value \"adam\" of 'opt' is none of its kind, expected one of adamw")]
    [InlineData("""{ "sched": 3 }""", "the value 3 of 'sched'")]
    [InlineData("""{ "lr": 1, "lr": 2 }""", "cannot be read")]
    [InlineData("""{ "update_images": 8 }""", "unknown key 'update_images'")]
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
            "deit, distillation-student, distillation-teacher, finetune, finetune384, plain, transfer",
            Assert.Throws<DeitException>(() => Recipe.Load("resnet")).Message
        );
}
