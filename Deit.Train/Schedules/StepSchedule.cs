using Deit.Train.Options;

namespace Deit.Train.Schedules;

/// <summary>The peak, multiplied by <c>--decay-rate</c> each <c>--decay-epochs</c> epochs, as timm's StepLRScheduler.</summary>
/// <param name="options">The flags of schedules.</param>
/// <param name="peak">The learning rate at the end of the warm-up.</param>
internal sealed class StepSchedule(ScheduleOptions options, double peak) : WarmedSchedule(options, peak)
{
    /// <inheritdoc/>
    protected override double Curve(int t, IReadOnlyList<double> validationLosses) =>
        Peak * Math.Pow(Options.DecayRate, t / Options.DecayEpochs);
}
