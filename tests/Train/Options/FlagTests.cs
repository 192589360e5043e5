using Deit.Model;
using Deit.Train.Options;

namespace Deit.Tests.Train.Options;

public sealed class FlagTests
{
    private sealed record Inner
    {
        [Flag("a size")]
        public int BatchSize { get; init; } = 3;

        [Flag("a way", Name = "way-to-go")]
        public DistillationType Kind { get; init; } = DistillationType.Hard;
    }

    private sealed record Outer
    {
        [Flag("a name", Scope = FlagScope.Run)]
        public string? Name { get; init; }

        [FlagGroup]
        public Inner Inner { get; init; } = new();

        public int NoFlag { get; init; }
    }

    [Fact]
    public void Flags_lie_in_the_record_and_in_its_groups()
    {
        Assert.Equal(["--name", "--batch-size", "--way-to-go"], FlagSet<Outer>.All.Select(flag => flag.Name));
        Assert.Equal(["name", "batch_size", "way_to_go"], FlagSet<Outer>.All.Select(flag => flag.Key));
        Assert.Equal(["none", "soft", "hard"], FlagSet<Outer>.All[2].Choices);
    }

    [Fact]
    public void Other_values_make_another_record()
    {
        Outer start = new()
        {
            Name = "a",
            Inner = new Inner { Kind = DistillationType.Soft },
        };
        Outer changed = FlagSet<Outer>.With(start, [(FlagSet<Outer>.All[1], 5)]);
        Assert.Equal(
            new Outer
            {
                Name = "a",
                Inner = new Inner { BatchSize = 5, Kind = DistillationType.Soft },
            },
            changed
        );
        Assert.Equal(3, start.Inner.BatchSize);
    }

    [Fact]
    public void No_two_flags_of_a_training_have_one_name() =>
        Assert.Equal(
            FlagSet<TrainOptions>.All.Count,
            FlagSet<TrainOptions>.All.Select(flag => flag.Name).Distinct(StringComparer.Ordinal).Count()
        );

    [Fact]
    public void Values_have_the_names_of_the_command_line()
    {
        Assert.Equal(["mean-logits", "sum-softmax", "class-token"], FlagValue.Names(typeof(HeadFusion)));
        Assert.Equal(["numel", "batchmean"], FlagValue.Names(typeof(SoftReduction)));
        Assert.Equal(["none", "soft", "hard"], FlagValue.Names(typeof(DistillationType?)));
        Assert.Equal(
            ["cosine", "step", "multistep", "plateau", "poly", "constant"],
            FlagValue.Names(typeof(ScheduleKind))
        );
        Assert.Equal("bf16-residual", FlagValue.Text(Precision.Parse("bf16-residual")));
        Assert.Equal(HeadFusion.SumSoftmax, FlagValue.Parse(typeof(HeadFusion), "sum-softmax"));
        Assert.Contains(
            "choose one of numel, batchmean",
            Assert.Throws<DeitException>(() => FlagValue.Parse(typeof(SoftReduction), "elements")).Message
        );
    }
}
