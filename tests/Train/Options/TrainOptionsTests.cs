using System.CommandLine;
using Deit.Cli.Commands;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Train.Training;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Loading;
using Deit.Train.Distillation;
using Deit.Train.Optimizers;
using Deit.Train.Options;
using Deit.Train.Schedules;
using Deit.Train.Training;

namespace Deit.Tests.Train.Options;

public sealed class TrainOptionsTests
{
    // The values of the reference's main.py at 7e160fe.
    [Fact]
    public void The_defaults_are_the_references()
    {
        TrainOptions options = Parse("");
        AdamWOptions adamW = options.Optimizer.AdamW();
        Assert.Equal(
            (64, 300, 5e-4, 1e-6, 1e-5, 5, 0.05),
            (
                options.Step.BatchSize,
                options.Schedule.Epochs,
                options.Schedule.Lr,
                options.Schedule.WarmupLr,
                options.Schedule.MinLr,
                options.Schedule.WarmupEpochs,
                options.Optimizer.WeightDecay
            )
        );
        Assert.Equal((0.9, 0.999, 1e-8, 0.05), (adamW.Beta1, adamW.Beta2, adamW.Epsilon, adamW.WeightDecay));
        Assert.Equal(
            (0.1, 0.1, null, true, 0.99996),
            (
                options.Augmentation.Smoothing,
                options.Model.DropPath,
                options.Optimizer.ClipGrad,
                options.Average.Enabled,
                options.Average.Decay
            )
        );
        Assert.Equal(new Mixup(0.8, 1, 1, 0.5), options.Augmentation.Mixing());
        Assert.Equal(
            new DistillationLoss(DistillationType.None, 0.5, 1, SoftReduction.Elements),
            options.Distillation.Loss()
        );
        Assert.Equal(HeadFusion.MeanLogits, options.Evaluation.HeadFusion);
        Assert.Equal(
            new TrainTransformOptions
            {
                InputSize = 37,
                AutoAugment = "rand-m9-mstd0.5-inc1",
                ColorJitter = 0.3,
                ErasingProbability = 0.25,
                ErasingMode = ErasingMode.Pixel,
                ErasingCount = 1,
            },
            options.Augmentation.TransformOptions(37)
        );
        Assert.Equal(256, Assert.IsType<RepeatedAugmentationSampler>(options.Sampler(300)).Count);
    }

    // A training that is warmed up for half of its epochs or more says so, unless it is a trial of a few epochs.
    [Theory]
    [InlineData("--epochs 10 --warmup-epochs 5", true)]
    [InlineData("--epochs 6 --warmup-epochs 3", true)]
    [InlineData("--epochs 10 --warmup-epochs 4", false)]
    [InlineData("--epochs 5 --warmup-epochs 5", false)]
    [InlineData("--epochs 300", false)]
    [InlineData("--epochs 6 --warmup-epochs 3 --resume RUN", false)]
    public void A_long_warm_up_is_said(string arguments, bool said)
    {
        using TemporaryFolder folder = new();
        TrainOptions given = Parse(arguments.Replace(" --resume RUN", "", StringComparison.Ordinal));
        TrainOptions options = TinyRun.Options(TinyRun.WritePictures(folder), folder["run"]);
        options = options with
        {
            Schedule = options.Schedule with
            {
                Epochs = given.Schedule.Epochs,
                WarmupEpochs = given.Schedule.WarmupEpochs,
            },
        };
        bool resumed = arguments.Contains("--resume", StringComparison.Ordinal);
        using TrainingPlan plan = new(options, folder["run"], resumed);
        string sentence =
            $"the learning rate is warmed up for {options.Schedule.WarmupEpochs} of the {options.Schedule.Epochs} epochs; "
            + "fewer --warmup-epochs leave more to learn in";
        Assert.Equal(said, plan.Notices.Contains(sentence));
    }

    [Fact]
    public void Flags_set_up_the_augmentation()
    {
        TrainOptions options = Parse(
            "--aa none --color-jitter 0.2 --reprob 0.5 --remode rand --recount 2 --no-repeated-aug "
                + "--train-interpolation bilinear --scale-min 0.3"
        );
        Assert.Equal(
            new TrainTransformOptions
            {
                InputSize = 37,
                Scale = (0.3, 1),
                Interpolation = ResampleFilter.Bilinear,
                AutoAugment = "",
                ColorJitter = 0.2,
                ErasingProbability = 0.5,
                ErasingMode = ErasingMode.Rand,
                ErasingCount = 2,
            },
            options.Augmentation.TransformOptions(37)
        );
        Assert.IsType<RandomSampler>(options.Sampler(300));
    }

    [Fact]
    public void Without_augmentation_training_pictures_are_prepared_as_for_evaluation()
    {
        TrainOptions options = Parse("--no-aug");
        Assert.IsType<EvaluationTransform>(options.Transform(32));
        Assert.False(options.Augmentation.Mixing().Enabled);
        Assert.IsType<RandomSampler>(options.Sampler(300));
    }

    // The reference neither resizes nor crops CIFAR's pictures.
    [Theory]
    [InlineData(32, 1)]
    [InlineData(33, 0.875)]
    public void Small_inputs_are_evaluated_whole(int size, double ratio) =>
        Assert.Equal(ratio, Parse("").Evaluation.Preprocess(size).CropRatio);

    [Theory]
    [InlineData("--input-size 224", 224, 224)]
    [InlineData("--input-size 224x160", 224, 160)]
    public void An_input_may_be_wider_or_higher(string line, int height, int width) =>
        Assert.Equal(new ImageSize(height, width), Parse(line).Model.InputSize);

    [Fact]
    public void A_regnet_is_described_by_its_numbers()
    {
        RegNetConfig config = Assert.IsType<RegNetConfig>(
            Parse("--regnet 48,27.89,2.09,16,8,24 --input-size 64").Model.Config(10)
        );
        Assert.Equal(
            (48, 27.89, 2.09, 16, 8, 24, 10, (ImageSize)64),
            (
                config.InitialWidth,
                config.WidthSlope,
                config.WidthMultiplier,
                config.Depth,
                config.GroupWidth,
                config.StemWidth,
                config.NumClasses,
                config.InputSize
            )
        );
        Assert.IsType<RegNetConfig>(Parse("--model regnety_160").Model.Config(10));
    }

    [Fact]
    public void The_learning_rate_is_scaled_by_the_images_of_an_update()
    {
        Assert.Equal(5e-4 * 1024 / 512, Peak("--accum-steps 16"));
        Assert.Equal(5e-4, Peak("--accum-steps 16 --unscale-lr"));
    }

    [Theory]
    [InlineData("--reprob 1.5", "--reprob is 1.5, expected from 0 to 1.")]
    [InlineData("--reprob NaN", "--reprob is NaN, expected from 0 to 1.")]
    [InlineData("--recount 0", "--recount is 0, expected at least 1.")]
    [InlineData("--color-jitter -1", "--color-jitter is -1, expected at least 0.")]
    [InlineData("--accum-steps 0", "--accum-steps is 0, expected from 1 to 65536.")]
    [InlineData(
        "--distillation-type hard",
        "--distillation-type hard needs a teacher; add --teacher-path with a model folder or a .safetensors file."
    )]
    [InlineData(
        "--teacher-path t",
        "--teacher-path was given and --distillation-type is none, so nothing would be learned from it; "
            + "add --distillation-type hard or soft."
    )]
    [InlineData(
        "--teacher-model regnety_160",
        "--teacher-model names the model of --teacher-path, which is missing; add it."
    )]
    [InlineData(
        "--distillation-type hard --teacher-path t --teacher-cache c",
        "--teacher-cache keeps one answer an image, and augmentation changes the image each time; "
            + "add --no-aug and a --distillation-type, or drop it."
    )]
    [InlineData(
        "--model regnety_040 --distilled",
        "--distilled adds a token to a DeiT, a RegNetY has none; drop it: the other distillation flags work without a token."
    )]
    [InlineData("--decay-epochs 0", "--decay-epochs is 0, expected at least 1.")]
    [InlineData("--decay-rate 0", "--decay-rate is 0, expected above 0.")]
    [InlineData("--tail-share 1.5", "--tail-share is 1.5, expected from 0 to 1.")]
    [InlineData("--layer-decay 0", "--layer-decay is 0, expected above 0, at most 1.")]
    [InlineData("--layer-decay 2", "--layer-decay is 2, expected above 0, at most 1.")]
    [InlineData("--layer-decay nan", "--layer-decay is NaN, expected above 0, at most 1.")]
    [InlineData(
        "--finetune w --freeze -1",
        "--freeze is '-1', expected a number of blocks from 0, or backbone for everything but the heads."
    )]
    [InlineData(
        "--finetune w --freeze foo",
        "--freeze is 'foo', expected a number of blocks from 0, or backbone for everything but the heads."
    )]
    [InlineData(
        "--freeze 3",
        "--freeze 3 keeps weights as they start, which without --finetune is at random; "
            + "add --finetune with hf:timm/deit_tiny_patch16_224.fb_in1k of the Hugging Face Hub, a model folder "
            + "or a .safetensors file, or drop it."
    )]
    [InlineData("--distillation-alpha 2", "--distillation-alpha is 2, expected from 0 to 1.")]
    [InlineData("--distillation-tau 0", "--distillation-tau is 0, expected above 0.")]
    public void Senseless_options_are_refused(string line, string message) =>
        Assert.Equal(message, Assert.Throws<DeitException>(Parse(line).Validate).Message);

    [Theory]
    [InlineData("--regnet 1,2,3")]
    [InlineData("--regnet 48,a,2,16,8")]
    [InlineData("--regnet 48.5,27,2,16,8")]
    [InlineData("--regnet 48,27,2,16,8 --embed-dim 32")]
    [InlineData("--embed-dim 32 --depth 2")]
    [InlineData("--model deit_huge")]
    [InlineData("--input-size 225")]
    [InlineData("--model regnety_040 --patch-size 8")]
    public void Senseless_models_are_refused(string line) =>
        Assert.Throws<DeitException>(() => Parse(line).Model.Config(10));

    [Fact]
    public void A_string_that_is_no_randaugment_is_refused() =>
        Assert.Throws<DeitException>(() => Parse("--aa rand-x1").Transform(37));

    private static double Peak(string line)
    {
        TrainOptions options = Parse(line);
        return ScheduleList.Peak(options.Schedule, options.Step.UpdateImages);
    }

    internal static TrainOptions Parse(string line, TrainOptions? start = null)
    {
        Command command = new("train");
        OptionBinder<TrainOptions> binder = new(command);
        ParseResult result = command.Parse(line);
        Assert.Empty(result.Errors);
        return binder.Bind(result, start);
    }
}
