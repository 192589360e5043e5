using Deit.Train.Options;

namespace Deit.Train.Schedules;

/// <summary>A linear warm-up from <c>--warmup-lr</c> to the peak, then a curve.</summary>
/// <param name="options">The flags of schedules.</param>
/// <param name="peak">The learning rate at the end of the warm-up.</param>
/// <remarks>
/// <para>
/// The reference calls <c>lr_scheduler.step(epoch)</c> after the epoch, so an epoch runs at the value of the one before: epochs 0 and 1
/// both run at <c>--warmup-lr</c>, epoch e at f(e - 1), where f is the scheduler of timm. The warm-up lies inside the curve (timm's
/// default, no prefix): the curve leaves the warm-up at the height that it has by then.
/// </para>
/// <para>
/// The reference's loop, when it is resumed at epoch e, runs that one epoch at f(e). Here a resumed run repeats the uninterrupted run,
/// because a resume is meant to leave no trace in the result.
/// </para>
/// </remarks>
internal abstract class WarmedSchedule(ScheduleOptions options, double peak) : ISchedule
{
    /// <summary>The flags of schedules.</summary>
    protected ScheduleOptions Options { get; } = options;

    /// <summary>The learning rate at the end of the warm-up.</summary>
    protected double Peak { get; } = peak;

    /// <inheritdoc/>
    public double LearningRate(int epoch, IReadOnlyList<double> validationLosses)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        int warmup = Options.WarmupEpochs;
        if (epoch == 0) // the value that timm's constructor leaves in the optimiser before the first step
            return warmup > 0 ? Options.WarmupLr : Peak;
        int t = epoch - 1;
        return t < warmup ? Options.WarmupLr + (t * ((Peak - Options.WarmupLr) / warmup)) : Curve(t, validationLosses);
    }

    /// <summary>The curve f after the warm-up.</summary>
    /// <param name="t">At least the epochs of warm-up; it may lie beyond the last epoch.</param>
    /// <param name="validationLosses">The validation losses of epochs 0 to t.</param>
    protected abstract double Curve(int t, IReadOnlyList<double> validationLosses);
}
