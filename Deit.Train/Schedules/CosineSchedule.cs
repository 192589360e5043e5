using Deit.Train.Options;

namespace Deit.Train.Schedules;

/// <summary>Half a cosine over all epochs from the peak to <c>--min-lr</c>, as timm's CosineLRScheduler with one cycle.</summary>
/// <param name="options">The flags of schedules.</param>
/// <param name="peak">The learning rate at the end of the warm-up.</param>
internal sealed class CosineSchedule(ScheduleOptions options, double peak) : WarmedSchedule(options, peak)
{
    /// <inheritdoc/>
    protected override double Curve(int t, IReadOnlyList<double> validationLosses) =>
        t < Options.Epochs
            ? Options.MinLr + (0.5 * (Peak - Options.MinLr) * (1 + Math.Cos(Math.PI * t / Options.Epochs)))
            : Options.MinLr;
}
