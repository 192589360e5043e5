using System.CommandLine;
using Deit.Model;
using Deit.Train;
using Deit.Train.Commands;
using Deit.Train.Data;

namespace Deit.Tests.Train;

public sealed class TrainOptionsTests
{
    [Fact]
    public void Augmentation_is_off_unless_asked_for()
    {
        TrainOptions options = Parse("");
        Assert.Equal(new TrainTransformOptions { InputSize = 37, AutoAugment = "" }, options.Transform(37));
        Assert.IsType<RandomSampler>(options.Sampler(300));
    }

    [Fact]
    public void The_references_flags_set_up_the_augmentation()
    {
        TrainOptions options = Parse("--aa rand-m9-mstd0.5-inc1 --color-jitter 0.3 --reprob 0.25 --remode rand --recount 2 --repeated-aug");
        Assert.Equal(
            new TrainTransformOptions
            {
                InputSize = 37,
                AutoAugment = "rand-m9-mstd0.5-inc1",
                ColorJitter = 0.3,
                ErasingProbability = 0.25,
                ErasingMode = ErasingMode.Rand,
                ErasingCount = 2,
            },
            options.Transform(37));
        Assert.Equal(256, Assert.IsType<RepeatedAugmentationSampler>(options.Sampler(300)).Count);
    }

    [Theory]
    [InlineData("--reprob 1.5", "--reprob is 1.5, expected from 0 to 1.")]
    [InlineData("--reprob NaN", "--reprob is NaN, expected from 0 to 1.")]
    [InlineData("--recount 0", "--recount is 0, expected at least 1.")]
    [InlineData("--color-jitter -1", "--color-jitter is -1, expected at least 0.")]
    public void Senseless_numbers_are_refused(string line, string message) =>
        Assert.Equal(message, Assert.Throws<DeitException>(Parse(line).Validate).Message);

    [Fact]
    public void A_string_that_is_no_randaugment_is_refused() =>
        Assert.Throws<DeitException>(() => new TrainTransform(Parse("--aa rand-x1").Transform(37), seed: 1));

    private static TrainOptions Parse(string line)
    {
        Command command = new("train");
        OptionBinder<TrainOptions> binder = new(command);
        ParseResult result = command.Parse(line);
        Assert.Empty(result.Errors);
        return binder.Bind(result);
    }
}
