using System.Reflection;
using System.Xml.Linq;
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

    // A trimmed program loses the properties that nothing but reflection reads, unless this list names their types.
    [Fact]
    public void A_trimmer_is_told_of_every_record_in_the_options_of_a_training()
    {
        using Stream list = typeof(TrainOptions).Assembly.GetManifestResourceStream("ILLink.Descriptors.xml")!;
        XElement kept = XElement.Load(list).Element("assembly")!.Element("type")!;
        Assert.Equal("all", kept.Attribute("preserve")!.Value);
        string names = kept.Attribute("fullname")!.Value;
        Assert.EndsWith(".*", names);
        Type[] groups = [.. Groups(typeof(TrainOptions))];
        Assert.True(groups.Length > 10);
        Assert.All(groups, type => Assert.Equal(names[..^2], type.Namespace));

        static IEnumerable<Type> Groups(Type type) =>
            type.GetProperties()
                .Where(property => property.IsDefined(typeof(FlagGroupAttribute)))
                .SelectMany(property => Groups(property.PropertyType))
                .Prepend(type);
    }

    // As a file holds them: the code for their types is made when the library is compiled, and knows those that it is told of.
    [Fact]
    public void Every_flag_of_a_training_goes_into_a_file_and_comes_back()
    {
        TrainOptions options = new();
        foreach (Flag flag in FlagSet<TrainOptions>.All.Where(flag => !FlagValue.IsNamed(flag.Type)))
        {
            Type type = Nullable.GetUnderlyingType(flag.Type) ?? flag.Type;
            object value =
                flag.Of(options)
                ?? (type.IsValueType ? Activator.CreateInstance(type)! : FlagValue.FromText(flag, "3"));
            Assert.Equal(value, FlagValue.FromJson(flag, FlagValue.ToJson(flag.Type, value), mayBeNull: false));
        }
    }

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
