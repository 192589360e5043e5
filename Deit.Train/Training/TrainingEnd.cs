namespace Deit.Train.Training;

/// <summary>The end of a training.</summary>
/// <param name="State">The point that was reached.</param>
/// <param name="IsComplete">True when all epochs are done, false when the training was stopped.</param>
/// <param name="Unreadable">A sentence for each image that could not be read.</param>
/// <param name="HostTime">Host time spent in submitting, waits for the device excluded.</param>
/// <param name="Steps">The steps of that time.</param>
internal sealed record TrainingEnd(
    TrainState State,
    bool IsComplete,
    IReadOnlyList<string> Unreadable,
    TimeSpan HostTime,
    long Steps
);
