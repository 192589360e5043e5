using Deit.Train.Options;

namespace Deit.Train.Schedules;

/// <summary>
/// The peak, multiplied by <c>--decay-rate</c> whenever more than <c>--patience-epochs</c> epochs in a row have not lowered the validation
/// loss, but never below <c>--min-lr</c>: PyTorch's ReduceLROnPlateau with timm's threshold, as timm's PlateauLRScheduler uses it.
/// </summary>
/// <param name="options">The flags of schedules.</param>
/// <param name="peak">The learning rate at the end of the warm-up.</param>
/// <remarks>
/// All losses are gone through again for each epoch, so that there is nothing to save. The first loss that counts is that of the first
/// epoch at the peak, as in timm. Nothing is waited for after a decay (no cool-down), as in timm's later versions. Without warm-up, timm's
/// scheduler runs epoch 1 at <c>--warmup-lr</c> all the same; here no epoch does.
/// </remarks>
internal sealed class PlateauSchedule(ScheduleOptions options, double peak) : WarmedSchedule(options, peak)
{
    // A loss is lower where it lies below the best by this share of it, and a rate changes where it falls by more than Smallest.
    private const double Threshold = 1e-4,
        Smallest = 1e-8;

    /// <inheritdoc/>
    protected override double Curve(int t, IReadOnlyList<double> validationLosses)
    {
        if (validationLosses.Count <= t)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--sched plateau needs the validation losses of {t + 1} epochs for the rate of the next, the run has "
                    + $"{validationLosses.Count}; restore the files of the run, or start a new one."
            );
        double rate = Peak,
            best = double.PositiveInfinity;
        int bad = 0;
        for (int epoch = Options.WarmupEpochs > 0 ? Options.WarmupEpochs + 1 : 0; epoch <= t; epoch++)
        {
            double loss = validationLosses[epoch];
            bad = loss < best * (1 - Threshold) ? 0 : bad + 1;
            if (bad == 0)
                best = loss;
            if (bad <= Options.PatienceEpochs)
                continue;
            bad = 0;
            double reduced = Math.Max(rate * Options.DecayRate, Options.MinLr);
            if (rate - reduced > Smallest)
                rate = reduced;
        }
        return rate;
    }
}
