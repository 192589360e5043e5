using Deit.Train.Training;

namespace Deit.Tests.Train.Training;

public sealed class StepPaceTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void The_first_update_counts_for_nothing_and_evaluations_count_as_they_were()
    {
        StepPace pace = new(first: 0, update: 1, _time);
        pace.BeginEpoch(0);
        After(100, () => pace.Look(1)); // kernels are measured
        Assert.Null(pace.Left(steps: 7, epochs: 2, batches: 3));
        After(2, () => pace.Look(2));
        Assert.Equal(2, pace.StepSeconds);
        // 6 steps of this epoch and 8 of the next, and two evaluations of 3 batches without a way back.
        Assert.Equal(14 * 2 + 2 * 2, pace.Left(steps: 14, epochs: 2, batches: 3)!.Value.TotalSeconds, 1e-6);
        After(12, () => pace.Look(8));
        After(5, () => pace.BeginEpoch(8));
        After(2, () => pace.Look(9));
        Assert.Equal(7 * 2 + 5, pace.Left(steps: 7, epochs: 1, batches: 3)!.Value.TotalSeconds, 1e-6);
    }

    [Fact]
    public void Another_speed_is_soon_followed()
    {
        StepPace pace = new(first: 30, update: 1, _time);
        pace.BeginEpoch(30);
        After(9, () => pace.Look(31));
        for (int step = 32; step < 52; step++)
            After(1, () => pace.Look(step));
        for (int step = 52; step < 62; step++)
            After(3, () => pace.Look(step));
        Assert.Equal(3 - 2 * Math.Pow(0.9, 10), pace.StepSeconds!.Value, 1e-9);
    }

    [Fact]
    public void Slow_steps_are_waited_for_and_others_after_half_a_minute()
    {
        StepPace pace = new(first: 0, update: 2, _time);
        pace.BeginEpoch(0);
        for (int step = 1; step <= 4; step++)
        {
            Assert.True(pace.WantsLook(step));
            After(0.5, () => pace.Look(step));
        }
        Assert.False(pace.WantsLook(5));
        _time.Now += TimeSpan.FromSeconds(30);
        Assert.True(pace.WantsLook(64));
        pace.Look(64);
        Assert.False(pace.WantsLook(65));
        After(6, () => pace.Look(65));
        After(6, () => pace.Look(66));
        Assert.True(pace.WantsLook(67));
    }

    private void After(double seconds, Action then)
    {
        _time.Now += TimeSpan.FromSeconds(seconds);
        then();
    }
}
