using Deit.Train.Options;

namespace Deit.Train.Schedules;

/// <summary>
/// The peak, then a straight line to <c>--min-lr</c> over the last share <c>--tail-share</c> of the epochs: warm-up, stable, decay
/// (Hu et al., arXiv 2404.06395; Hägele et al., arXiv 2405.18392). With a share of 0 the rate stays at the peak.
/// </summary>
/// <param name="options">The flags of schedules.</param>
/// <param name="peak">The learning rate at the end of the warm-up.</param>
internal sealed class ConstantSchedule(ScheduleOptions options, double peak) : WarmedSchedule(options, peak)
{
    /// <inheritdoc/>
    protected override double Curve(int t, IReadOnlyList<double> validationLosses)
    {
        double tail = Options.TailShare * Options.Epochs,
            left = Math.Max(Options.Epochs - t, 0);
        return tail == 0 || left >= tail ? Peak : Options.MinLr + ((Peak - Options.MinLr) * (left / tail));
    }
}
