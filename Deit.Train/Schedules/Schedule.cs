namespace Deit.Train.Schedules;

/// <summary>
/// The learning rate of each epoch: a linear warm-up, then half a cosine, as the reference training loop steps it.
/// </summary>
/// <remarks>
/// The reference calls <c>lr_scheduler.step(epoch)</c> after the epoch, so an epoch runs at the value of the one before:
/// epochs 0 and 1 both run at <see cref="WarmupLr"/>, epoch e at f(e - 1), where f is timm 0.3.2's CosineLRScheduler.
/// The warm-up lies inside the cosine (no prefix): the curve leaves the warm-up at the height the cosine has by then.
/// The reference's loop, when resumed at epoch e, runs that one epoch at f(e); here a resumed run repeats what the
/// uninterrupted run does, because a resume is meant to leave no trace in the result.
/// </remarks>
internal sealed record Schedule
{
    /// <summary>The peak learning rate f would have at epoch 0 without warm-up; see <see cref="ScaledLr"/>.</summary>
    public required double Lr { get; init; }

    /// <summary>The learning rate the cosine falls to; not scaled with the batch.</summary>
    public double MinLr { get; init; } = 1e-5;

    /// <summary>The learning rate the warm-up starts from; not scaled with the batch.</summary>
    public double WarmupLr { get; init; } = 1e-6;

    /// <summary>Epochs of linear warm-up; 0 starts on the cosine.</summary>
    public int WarmupEpochs { get; init; } = 5;

    /// <summary>Epochs of the whole run, the warm-up included.</summary>
    public required int Epochs { get; init; }

    /// <summary>The base learning rate at a global batch: lr * batch / 512, the reference's linear scaling.</summary>
    /// <param name="lr">The learning rate at a batch of 512.</param>
    /// <param name="globalBatch">Images an optimizer step, over all devices and accumulated micro-batches.</param>
    public static double ScaledLr(double lr, int globalBatch) => lr * globalBatch / 512.0;

    /// <summary>The learning rate in force during an epoch.</summary>
    /// <param name="epoch">Counted from 0; beyond <see cref="Epochs"/> the rate stays at <see cref="MinLr"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The epoch is negative.</exception>
    public double LearningRate(int epoch)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        return epoch == 0 ? Initial : Stepped(epoch - 1);
    }

    // What timm's constructor leaves in the optimizer before the first step.
    private double Initial => WarmupEpochs > 0 ? WarmupLr : Lr;

    // f(t), timm 0.3.2, one cycle without decay.
    private double Stepped(int t)
    {
        if (t < WarmupEpochs)
            return WarmupLr + (t * ((Lr - WarmupLr) / WarmupEpochs));
        return t < Epochs ? MinLr + (0.5 * (Lr - MinLr) * (1 + Math.Cos(Math.PI * t / Epochs))) : MinLr;
    }
}
