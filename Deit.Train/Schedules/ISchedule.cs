namespace Deit.Train.Schedules;

/// <summary>The learning rate of each epoch.</summary>
/// <remarks>A schedule has no state: a run that is resumed asks the same question and gets the same answer.</remarks>
internal interface ISchedule
{
    /// <summary>The learning rate in force during an epoch.</summary>
    /// <param name="epoch">Counted from 0; it may lie beyond the last.</param>
    /// <param name="validationLosses">The validation loss after each epoch before this one, from epoch 0 on.</param>
    /// <exception cref="ArgumentOutOfRangeException">The epoch is negative.</exception>
    /// <exception cref="DeitException">The schedule depends on losses, and some of them are missing.</exception>
    double LearningRate(int epoch, IReadOnlyList<double> validationLosses);
}
