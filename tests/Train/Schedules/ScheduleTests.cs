using System.Text.Json;
using System.Text.RegularExpressions;
using Deit.Tests.Golden;
using Deit.Train.Options;
using Deit.Train.Schedules;

namespace Deit.Tests.Train.Schedules;

public sealed class ScheduleTests
{
    // Awkward numbers: no multiple of another, and a warm-up that ends amid a step.
    private static readonly ScheduleOptions Awkward = new()
    {
        Epochs = 23,
        Lr = 0.037,
        UnscaleLr = true,
        MinLr = 0.0011,
        WarmupLr = 0.0007,
        WarmupEpochs = 3,
        DecayEpochs = 7,
        DecayRate = 0.31,
        DecayMilestones = new EpochList(2, 9, 10, 17),
        PatienceEpochs = 2,
        TailShare = 0.3,
    };

    // The reference's scheduler stepped by its own loop; the names carry the settings: epochs300_warmup5_lr0.001_min1e-05.
    [Fact]
    [Trait("Category", "Golden")]
    public void Every_epoch_runs_at_the_reference_loops_rate()
    {
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllBytes(GoldenData.Path("optim/lr_schedule.json")));
        JsonProperty[] schedules = [.. golden.RootElement.GetProperty("schedules").EnumerateObject()];
        Assert.NotEmpty(schedules);
        foreach (JsonProperty property in schedules)
        {
            Match settings = Regex.Match(property.Name, @"^epochs(\d+)_warmup(\d+)_lr([^_]+)_min([^_]+)$");
            Assert.True(settings.Success, property.Name);
            ScheduleOptions options = new()
            {
                Epochs = int.Parse(settings.Groups[1].Value),
                WarmupEpochs = int.Parse(settings.Groups[2].Value),
                Lr = double.Parse(settings.Groups[3].Value),
                MinLr = double.Parse(settings.Groups[4].Value),
                UnscaleLr = true,
            };
            ISchedule schedule = Schedule(options);
            double[] expected = [.. property.Value.EnumerateArray().Select(value => value.GetDouble())];
            Assert.Equal(options.Epochs, expected.Length);
            // A few roundings of numbers below 1e-3; the smallest rate is 1e-6.
            for (int epoch = 0; epoch < expected.Length; epoch++)
                Assert.InRange(schedule.LearningRate(epoch, []), expected[epoch] - 1e-15, expected[epoch] + 1e-15);
        }
    }

    [Fact]
    public void The_warm_up_is_cut_out_of_the_cosine_rather_than_put_before_it()
    {
        ISchedule schedule = Schedule(
            new()
            {
                Lr = 1,
                MinLr = 0,
                WarmupLr = 0,
                WarmupEpochs = 4,
                Epochs = 8,
            }
        );
        // f = 0, 1/4, 1/2, 3/4, then (1 + cos(pi t / 8)) / 2 at t = 4, 5, 6; each one epoch late.
        double[] expected =
        [
            0,
            0,
            0.25,
            0.5,
            0.75,
            0.5,
            (1 + Math.Cos(Math.PI * 5 / 8)) / 2,
            (1 + Math.Cos(Math.PI * 6 / 8)) / 2,
        ];
        AssertRates(expected, schedule);
    }

    // timm: v * decay_rate ** (t // decay_t), t = 3 .. 22 and beyond, an epoch late: 4 x t // 7 = 0, 7 x 1, 7 x 2, then 3.
    [Fact]
    public void Step_decays_each_so_many_epochs()
    {
        double[] after =
        [
            .. Enumerable.Repeat(0.037, 4),
            .. Enumerable.Repeat(0.037 * 0.31, 7),
            .. Enumerable.Repeat(0.037 * 0.31 * 0.31, 7),
            .. Enumerable.Repeat(0.037 * 0.31 * 0.31 * 0.31, 7),
        ];
        AssertRates([.. WarmUp(), .. after], Schedule(Awkward with { Kind = ScheduleKind.Step }));
    }

    // timm: v * decay_rate ** bisect_right(milestones, t + 1). Milestone 2 lies in the warm-up: the curve leaves it decayed.
    [Fact]
    public void Multistep_decays_at_its_milestones()
    {
        double[] after = [0.31, 0.31, 0.31, 0.31, 0.31]; // epochs 4 to 8
        after = [.. after, 0.31 * 0.31]; // epoch 9
        after = [.. after, .. Enumerable.Repeat(0.31 * 0.31 * 0.31, 7)]; // epochs 10 to 16
        after = [.. after, .. Enumerable.Repeat(0.31 * 0.31 * 0.31 * 0.31, 20)]; // epoch 17 and later
        AssertRates(
            [.. WarmUp(), .. after.Select(factor => 0.037 * factor)],
            Schedule(Awkward with { Kind = ScheduleKind.MultiStep })
        );
    }

    // timm: lr_min + (lr_max - lr_min) * (1 - t ** k / t_i ** k) ** power with k = 1 and power = decay_rate, here by logarithms.
    [Fact]
    public void Poly_is_a_power_of_the_epochs_that_are_left()
    {
        double[] after =
        [
            .. Enumerable.Range(3, 20).Select(t => 0.0011 + (0.0359 * Math.Exp(0.31 * Math.Log((23 - t) / 23.0)))),
            0.0011,
            0.0011,
        ];
        AssertRates([.. WarmUp(), .. after], Schedule(Awkward with { Kind = ScheduleKind.Polynomial }));
    }

    // The tail is 6.9 epochs: t = 16 is before it, t = 17 has 6 of them left.
    [Fact]
    public void Constant_falls_in_a_straight_line_at_its_end()
    {
        double[] after =
        [
            .. Enumerable.Repeat(0.037, 14), // t = 3 to 16
            .. ((int[])[6, 5, 4, 3, 2, 1, 0, 0, 0]).Select(left => 0.0011 + (left * 0.0359 / 6.9)),
        ];
        AssertRates([.. WarmUp(), .. after], Schedule(Awkward with { Kind = ScheduleKind.Constant }));
        ISchedule flat = Schedule(Awkward with { Kind = ScheduleKind.Constant, TailShare = 0 });
        AssertRates([.. WarmUp(), .. Enumerable.Repeat(0.037, 30)], flat);
    }

    // Losses of the warm-up, epochs 0 to 3, do not count. Epoch 4 is the first at the peak, its loss the first best.
    // 1.99990 is not lower than 2 by a ten-thousandth; three epochs in a row without a lower loss are more than the patience of two.
    [Fact]
    public void Plateau_decays_after_epochs_without_a_lower_loss()
    {
        double[] losses = [0.1, 0.1, 0.1, 0.1, 2, 1.9999, 2.5, 2.1, 1.5, 1.6, 1.6, 1.6, 1.6, 1.6, 1.6, 1.7, 1.7, 1.7];
        // The decays come after the losses of epochs 7, 11 and 14; the fourth, after epoch 17, would fall below --min-lr.
        double[] after =
        [
            .. Enumerable.Repeat(0.037, 4), // epochs 4 to 7
            .. Enumerable.Repeat(0.037 * 0.31, 4), // epochs 8 to 11
            .. Enumerable.Repeat(0.037 * 0.31 * 0.31, 3), // epochs 12 to 14
            .. Enumerable.Repeat(0.037 * 0.31 * 0.31 * 0.31, 3), // epochs 15 to 17
            0.0011, // epoch 18
        ];
        ISchedule schedule = Schedule(Awkward with { Kind = ScheduleKind.Plateau });
        AssertRates([.. WarmUp(), .. after], schedule, losses);
        // Later losses change nothing of an epoch: it is the same before they are known, and after a resume.
        Assert.Equal(schedule.LearningRate(12, losses[..12]), schedule.LearningRate(12, losses));
        Assert.Contains(
            "needs the validation losses of 12 epochs",
            Assert.Throws<DeitException>(() => schedule.LearningRate(12, losses[..11])).Message
        );
    }

    [Fact]
    public void Plateau_without_warm_up_counts_from_the_first_loss()
    {
        ISchedule schedule = Schedule(
            Awkward with
            {
                Kind = ScheduleKind.Plateau,
                WarmupEpochs = 0,
                PatienceEpochs = 0,
            }
        );
        AssertRates([0.037, 0.037, 0.037 * 0.31, 0.037 * 0.31], schedule, [1, 1, 0.5]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_schedule_warms_up_and_without_warm_up_starts_at_its_peak(string kind)
    {
        ScheduleOptions options = Awkward with { Kind = Kind(kind) };
        AssertRates(WarmUp(), Schedule(options));
        ISchedule cold = Schedule(options with { WarmupEpochs = 0, DecayMilestones = new EpochList(5) });
        AssertRates([0.037, 0.037], cold, [1]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_schedule_has_a_rate_for_a_single_epoch_and_beyond_the_last(string kind)
    {
        ScheduleOptions options = Awkward with { Kind = Kind(kind), Epochs = 1 };
        Assert.Equal(0.0007, Schedule(options).LearningRate(0, []));
        Assert.Equal(0.037, Schedule(options with { WarmupEpochs = 0 }).LearningRate(0, []));
        double late = Schedule(options).LearningRate(1000, [.. Enumerable.Repeat(1.0, 1000)]);
        Assert.InRange(late, 0, 0.037);
        Assert.Throws<ArgumentOutOfRangeException>(() => Schedule(options).LearningRate(-1, []));
    }

    [Fact]
    public void Past_the_last_epoch_a_cosine_stays_at_the_minimum()
    {
        ISchedule schedule = Schedule(
            new()
            {
                Lr = 0.5,
                MinLr = 0.1,
                Epochs = 10,
            }
        );
        Assert.Equal(0.1, schedule.LearningRate(11, []));
        Assert.Equal(0.1, schedule.LearningRate(1000, []));
    }

    [Theory]
    [InlineData(5e-4, 1024, 1e-3)]
    [InlineData(5e-4, 512, 5e-4)]
    [InlineData(5e-4, 37, 3.61328125e-5)]
    public void The_base_rate_grows_linearly_with_the_images_of_an_update(double lr, int images, double expected) =>
        Assert.Equal(expected, ScheduleList.Peak(new() { Lr = lr }, images), 15);

    public static TheoryData<string> Kinds() => [.. FlagValue.Names(typeof(ScheduleKind))];

    private static ScheduleKind Kind(string name) => (ScheduleKind)FlagValue.Parse(typeof(ScheduleKind), name);

    private static ISchedule Schedule(ScheduleOptions options) => ScheduleList.Create(options, 512);

    // Epochs 0 to 3 of the awkward numbers: 0.0007 + t (0.037 - 0.0007) / 3 at t = 0, 0, 1, 2.
    private static double[] WarmUp() => [0.0007, 0.0007, 0.0128, 0.0249];

    // A few roundings of numbers below 1.
    private static void AssertRates(double[] expected, ISchedule schedule, double[]? losses = null)
    {
        for (int epoch = 0; epoch < expected.Length; epoch++)
            Assert.InRange(
                schedule.LearningRate(epoch, losses?[..Math.Min(epoch, losses.Length)] ?? []),
                expected[epoch] - 1e-15,
                expected[epoch] + 1e-15
            );
    }
}
