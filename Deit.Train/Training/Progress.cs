namespace Deit.Train.Training;

/// <summary>Where a run stands.</summary>
/// <param name="Epoch">The epoch, counted from 0.</param>
/// <param name="Epochs">Epochs of the run.</param>
/// <param name="Step">Steps done of the epoch.</param>
/// <param name="Steps">Steps of the epoch.</param>
/// <param name="StepOfRun">Steps done since the start of the run. Epochs before may have had another number of steps.</param>
/// <param name="Loss">A recent training loss.</param>
/// <param name="LearningRate">The rate in force.</param>
/// <param name="ImagesPerSecond">The present speed.</param>
/// <param name="DataWait">The share of the time spent waiting for pictures, 0 to 1.</param>
/// <param name="Left">The time to the end of the run; null while unknown.</param>
internal readonly record struct Progress(
    int Epoch,
    int Epochs,
    int Step,
    int Steps,
    long StepOfRun,
    double Loss,
    double LearningRate,
    double ImagesPerSecond,
    double DataWait,
    TimeSpan? Left
)
{
    /// <summary>One line. The epoch is counted from 1. The most wanted figures come first, since narrow terminals cut
    /// the end.</summary>
    public override string ToString() =>
        $"epoch {Epoch + 1}/{Epochs}  step {Step}/{Steps}  loss {Loss:F4}  {Duration(Left)}  "
        + $"{ImagesPerSecond:F0} images/s  data wait {DataWait:P0}  lr {LearningRate:0.00e-00}";

    private static string Duration(TimeSpan? time) =>
        time switch
        {
            null => "time left not known yet",
            { TotalDays: >= 1 } t => $"{(int)t.TotalDays}d {t.Hours:D2}h left",
            { TotalHours: >= 1 } t => $"{t.Hours}h {t.Minutes:D2}m left",
            { TotalMinutes: >= 1 } t => $"{t.Minutes}m {t.Seconds:D2}s left",
            { } t => $"{t.Seconds}s left",
        };
}
