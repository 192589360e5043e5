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

    /// <summary>The validation pictures, by number, that no evaluation so far could read; null before the first, and in a
    /// run that an older version began.</summary>
    public IReadOnlyList<int>? NeverRead { get; init; }

    /// <summary>Those that the evaluation of <see cref="BestTop1"/> could not read; null as the other.</summary>
    public IReadOnlyList<int>? BestUnread { get; init; }

    /// <summary>Pictures to learn from when the checkpoint was written; null in that of an older version.</summary>
    public int? TrainingImages { get; init; }

    /// <summary>Pictures to evaluate with, likewise.</summary>
    public int? ValidationImages { get; init; }

    /// <summary>The numbers of epochs that the run had, each with the point from which on; empty in the checkpoint of an
    /// older version.</summary>
    public IReadOnlyList<RunLength> Lengths { get; init; } = [];

    /// <summary>SHA-256 of the teacher's weights; null without a teacher.</summary>
    public string? Teacher { get; init; }

    /// <summary>The kernels that were measured best, so that a resumed run computes the same bits.</summary>
    public Dictionary<string, string> Kernels { get; init; } = [];

    /// <summary>Whether gradients are summed in the order of <see cref="Distributed.SumTree"/>, as where several ranks
    /// train together. A run keeps to it, so that its bits do not depend on the number of ranks where there is no batch norm.</summary>
    public bool OrderedSums { get; init; }

    /// <summary>Some steps later.</summary>
    public TrainState AfterSteps(int steps) => this with { StepInEpoch = StepInEpoch + steps, Step = Step + steps };

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
    /// <param name="unread">The validation pictures that both could not read, by number.</param>
    public TrainState AfterEpoch(Evaluation evaluation, Evaluation? average, IReadOnlyList<int> unread) =>
        new()
        {
            Epoch = Epoch + 1,
            Step = Step,
            BestTop1 = Best(BestTop1, evaluation.Top1, unread),
            BestEmaTop1 = Best(BestEmaTop1, average?.Top1 ?? -1, unread),
            ValidationLosses = [.. ValidationLosses, evaluation.Loss],
            NeverRead = NeverRead is null ? unread : [.. NeverRead.Intersect(unread)],
            BestUnread = ToBeat(BestTop1, unread) is null ? BestUnread : unread,
            TrainingImages = TrainingImages,
            ValidationImages = ValidationImages,
            Lengths = Lengths,
            Teacher = Teacher,
            OrderedSums = OrderedSums,
        };

    /// <summary>
    /// The accuracy above which an evaluation is the best. Evaluations compare only over the same pictures: null where
    /// one lacks a picture that an earlier one read, which is never the best; below 0 where it read more than the best.
    /// </summary>
    /// <param name="best">The best accuracy so far.</param>
    /// <param name="unread">The validation pictures that the evaluation could not read, by number.</param>
    public double? ToBeat(double best, IReadOnlyList<int> unread)
    {
        if (NeverRead is null || BestUnread is null)
            return best;
        if (unread.Except(NeverRead).Any())
            return null;
        return unread.Count < BestUnread.Count ? -1 : best;
    }

    /// <summary>The point as other data goes on from it.</summary>
    /// <param name="training">Pictures to learn from.</param>
    /// <param name="validation">Pictures to evaluate with; where there were others, their numbers mean nothing.</param>
    public TrainState With(int training, int validation)
    {
        bool same = ValidationImages is null || ValidationImages == validation;
        return this with
        {
            TrainingImages = training,
            ValidationImages = validation,
            NeverRead = same ? NeverRead : null,
            BestUnread = same ? BestUnread : null,
        };
    }

    /// <summary>The point as a run with a number of epochs goes on from it.</summary>
    /// <param name="before">The number that it had.</param>
    /// <param name="epochs">The number that it has from here on.</param>
    public TrainState WithLength(int before, int epochs)
    {
        IReadOnlyList<RunLength> lengths = Lengths.Count > 0 ? Lengths : [new RunLength(before, 0, 0)];
        return this with
        {
            Lengths = lengths[^1].Epochs == epochs ? lengths : [.. lengths, new RunLength(epochs, Epoch, StepInEpoch)],
        };
    }

    private double Best(double best, double accuracy, IReadOnlyList<int> unread) =>
        ToBeat(best, unread) is { } toBeat ? Math.Max(toBeat, accuracy) : best;
}
