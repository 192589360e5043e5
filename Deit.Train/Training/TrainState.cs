namespace Deit.Train.Training;

/// <summary>
/// A point of a training, without its tensors. Only <see cref="TrainingLoop"/> moves it on; a checkpoint keeps it as JSON.
/// </summary>
internal sealed record TrainState
{
    /// <summary>The epoch in progress, or the number of epochs when all are done.</summary>
    public int Epoch { get; init; }

    /// <summary>Steps done of that epoch.</summary>
    public int StepInEpoch { get; init; }

    /// <summary>Steps done since the start.</summary>
    public long Step { get; init; }

    /// <summary>Sum of the losses of the epoch's steps so far, but for <see cref="PendingLoss"/>.</summary>
    public double LossSum { get; init; }

    /// <summary>Sum of the losses of the steps since the device's sum was last read, in the device's arithmetic.</summary>
    public float PendingLoss { get; init; }

    /// <summary>Seconds that the epoch took so far.</summary>
    public double Seconds { get; init; }

    /// <summary>The best top-1 accuracy of an evaluation; below 0 before the first.</summary>
    public double BestTop1 { get; init; } = -1;

    /// <summary>The same of the moving average.</summary>
    public double BestEmaTop1 { get; init; } = -1;

    /// <summary>
    /// The validation loss of each epoch so far. In a run that an older version began, those of the epochs since then
    /// alone.
    /// </summary>
    public IReadOnlyList<double> ValidationLosses { get; init; } = [];

    /// <summary>SHA-256 of the teacher's weights; null without a teacher.</summary>
    public string? Teacher { get; init; }

    /// <summary>The kernels that were measured best, so that a resumed run computes the same bits.</summary>
    public Dictionary<string, string> Kernels { get; init; } = [];

    /// <summary>One step later.</summary>
    public TrainState AfterStep() => this with { StepInEpoch = StepInEpoch + 1, Step = Step + 1 };

    /// <summary>The device's sum of losses was read, and begins again at 0.</summary>
    /// <param name="sum">The sum.</param>
    /// <param name="seconds">Seconds that the epoch took so far.</param>
    public TrainState AfterRead(double sum, double seconds) => this with { LossSum = LossSum + sum, Seconds = seconds };

    /// <summary>
    /// The point as a checkpoint keeps it: the device's sum goes on from there, so that the log has the same bits as without a
    /// stop.
    /// </summary>
    /// <param name="pending">The device's sum of losses.</param>
    /// <param name="seconds">Seconds that the epoch took so far.</param>
    public TrainState Paused(float pending, double seconds) => this with { PendingLoss = pending, Seconds = seconds };

    /// <summary>The start of the next epoch.</summary>
    /// <param name="evaluation">The evaluation after this one.</param>
    /// <param name="average">The same of the moving average; null without.</param>
    public TrainState AfterEpoch(Evaluation evaluation, Evaluation? average) =>
        new()
        {
            Epoch = Epoch + 1,
            Step = Step,
            BestTop1 = Math.Max(BestTop1, evaluation.Top1),
            BestEmaTop1 = Math.Max(BestEmaTop1, average?.Top1 ?? -1),
            ValidationLosses = [.. ValidationLosses, evaluation.Loss],
            Teacher = Teacher,
        };
}
