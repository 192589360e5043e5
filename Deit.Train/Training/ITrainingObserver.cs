namespace Deit.Train.Training;

/// <summary>
/// Is told how a training gets on: a log, a checkpoint, a progress line. Observers are told one after another on the training's thread; an
/// exception of one ends the training.
/// </summary>
internal interface ITrainingObserver
{
    /// <summary>The first step, or the first one after a resume, is about to begin.</summary>
    /// <param name="session">The open training.</param>
    /// <param name="state">The point at which it begins.</param>
    /// <param name="resumed">Whether the run was begun before.</param>
    void Started(TrainingSession session, TrainState state, bool resumed) { }

    /// <summary>The running loss was read, which happens at fixed steps.</summary>
    /// <param name="progress">The point and the speed.</param>
    void LossRead(Progress progress) { }

    /// <summary>Somebody may want a sign of life: told between two reads of the loss, where these are far apart in time.</summary>
    /// <param name="progress">The point and the speed.</param>
    void Advanced(Progress progress) { }

    /// <summary>A step is queued, and its loss was read where it was due.</summary>
    /// <param name="state">The point after the step.</param>
    void StepDone(TrainState state) { }

    /// <summary>A checkpoint is due within an epoch.</summary>
    /// <param name="state">The point as a checkpoint keeps it.</param>
    void SaveDue(TrainState state) { }

    /// <summary>The training goes on although something is not as it should be.</summary>
    /// <param name="notice">A sentence on it, without a point at its end.</param>
    void Noticed(string notice) { }

    /// <summary>An epoch was trained and evaluated.</summary>
    /// <param name="result">The figures, and the point at which the next epoch begins.</param>
    void EpochEvaluated(EpochResult result) { }

    /// <summary>The training was told to stop before its end.</summary>
    /// <param name="state">The point as a checkpoint keeps it.</param>
    void Stopped(TrainState state) { }

    /// <summary>Nothing follows: the training is complete, or was stopped and <see cref="Stopped"/> was told to all.</summary>
    /// <param name="end">The figures of the end.</param>
    void Ended(TrainingEnd end) { }
}
