using Deit.Train.Options;

namespace Deit.Train.Schedules;

/// <summary>
/// The share of epochs that are left, to the power of <c>--decay-rate</c>, times the way from <c>--min-lr</c> to the peak, as timm's
/// PolyLRScheduler with one cycle. timm takes the power from that flag, too.
/// </summary>
/// <param name="options">The flags of schedules.</param>
/// <param name="peak">The learning rate at the end of the warm-up.</param>
internal sealed class PolynomialSchedule(ScheduleOptions options, double peak) : WarmedSchedule(options, peak)
{
    /// <inheritdoc/>
    protected override double Curve(int t, IReadOnlyList<double> validationLosses) =>
        t < Options.Epochs
            ? Options.MinLr + ((Peak - Options.MinLr) * Math.Pow(1 - ((double)t / Options.Epochs), Options.DecayRate))
            : Options.MinLr;
}
