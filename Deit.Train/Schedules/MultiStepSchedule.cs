using Deit.Train.Options;

namespace Deit.Train.Schedules;

/// <summary>
/// The peak, multiplied by <c>--decay-rate</c> at each epoch of <c>--decay-milestones</c>, as timm's MultiStepLRScheduler. Epoch m is
/// the first that runs at the rate of milestone m: that scheduler looks one epoch ahead.
/// </summary>
/// <param name="options">The flags of schedules.</param>
/// <param name="peak">The learning rate at the end of the warm-up.</param>
internal sealed class MultiStepSchedule(ScheduleOptions options, double peak) : WarmedSchedule(options, peak)
{
    /// <inheritdoc/>
    protected override double Curve(int t, IReadOnlyList<double> validationLosses) =>
        Peak * Math.Pow(Options.DecayRate, Options.DecayMilestones.Epochs.Count(milestone => milestone <= t + 1));
}
