using Deit.Train;

namespace Deit.Tests.Train;

public sealed class StepMeterTests
{
    [Fact]
    public void Nothing_is_known_before_the_first_step()
    {
        StepMeter meter = new();
        Assert.Equal(0, meter.ImagesPerSecond);
        Assert.Equal(0, meter.DataWait);
        Assert.Null(meter.TimeFor(100));
    }

    [Fact]
    public void A_steady_run_shows_its_speed_from_the_first_step_on()
    {
        StepMeter meter = new(TimeSpan.FromSeconds(5));
        for (int i = 0; i < 100; i++)
        {
            meter.Add(64, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(0.125));
            Assert.Equal(128, meter.ImagesPerSecond, 9);
            Assert.Equal(0.25, meter.DataWait, 12);
        }
        Assert.Equal(10, meter.TimeFor(1280)!.Value.TotalSeconds, 6);
    }

    [Fact]
    public void A_change_of_speed_shows_within_a_few_time_constants()
    {
        StepMeter meter = new(TimeSpan.FromSeconds(5));
        for (int i = 0; i < 1000; i++)
            meter.Add(64, TimeSpan.FromSeconds(1), TimeSpan.Zero);
        for (int i = 0; i < 50; i++)
            meter.Add(256, TimeSpan.FromSeconds(1), TimeSpan.Zero);
        // Ten time constants: the old speed weighs exp(-10) = 4.5e-5 of 192 images/s.
        Assert.InRange(meter.ImagesPerSecond, 256 - 0.01, 256);
    }
}
