using System.Text.Json;
using System.Text.RegularExpressions;
using Deit.Tests.Golden;
using Deit.Train.Schedules;

namespace Deit.Tests.Train.Schedules;

public sealed class ScheduleTests
{
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
            Schedule schedule = new()
            {
                Epochs = int.Parse(settings.Groups[1].Value),
                WarmupEpochs = int.Parse(settings.Groups[2].Value),
                Lr = double.Parse(settings.Groups[3].Value),
                MinLr = double.Parse(settings.Groups[4].Value),
            };
            double[] expected = [.. property.Value.EnumerateArray().Select(value => value.GetDouble())];
            Assert.Equal(schedule.Epochs, expected.Length);
            // A few roundings of numbers below 1e-3; the smallest rate is 1e-6.
            for (int epoch = 0; epoch < expected.Length; epoch++)
                Assert.InRange(schedule.LearningRate(epoch), expected[epoch] - 1e-15, expected[epoch] + 1e-15);
        }
    }

    [Fact]
    public void The_warm_up_is_cut_out_of_the_cosine_rather_than_put_before_it()
    {
        Schedule schedule = new()
        {
            Lr = 1,
            MinLr = 0,
            WarmupLr = 0,
            WarmupEpochs = 4,
            Epochs = 8,
        };
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
        for (int epoch = 0; epoch < expected.Length; epoch++)
            Assert.Equal(expected[epoch], schedule.LearningRate(epoch), 15);
    }

    [Fact]
    public void Without_warm_up_the_first_two_epochs_run_at_the_peak()
    {
        Schedule schedule = new()
        {
            Lr = 0.5,
            MinLr = 0.1,
            WarmupEpochs = 0,
            Epochs = 10,
        };
        Assert.Equal(0.5, schedule.LearningRate(0));
        Assert.Equal(0.5, schedule.LearningRate(1));
        Assert.InRange(schedule.LearningRate(2), 0.1, 0.4999);
    }

    [Fact]
    public void Past_the_last_epoch_the_rate_stays_at_the_minimum()
    {
        Schedule schedule = new()
        {
            Lr = 0.5,
            MinLr = 0.1,
            Epochs = 10,
        };
        Assert.Equal(0.1, schedule.LearningRate(11));
        Assert.Equal(0.1, schedule.LearningRate(1000));
    }

    [Fact]
    public void A_negative_epoch_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Schedule { Lr = 1, Epochs = 3 }.LearningRate(-1));

    [Theory]
    [InlineData(5e-4, 1024, 1e-3)]
    [InlineData(5e-4, 512, 5e-4)]
    [InlineData(5e-4, 37, 3.61328125e-5)]
    public void The_base_rate_grows_linearly_with_the_global_batch(double lr, int batch, double expected) =>
        Assert.Equal(expected, Schedule.ScaledLr(lr, batch), 15);
}
