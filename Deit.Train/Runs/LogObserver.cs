using System.Collections.Immutable;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>Adds a row to the log of a run after each epoch.</summary>
/// <param name="log">The log.</param>
/// <param name="folder">The folder that it lies in.</param>
internal sealed class LogObserver(RunLog log, RunFolder folder) : ITrainingObserver
{
    private TrainingSession? _session;

    /// <inheritdoc/>
    public void Started(TrainingSession session, TrainState state, bool resumed) => _session = session;

    /// <inheritdoc/>
    public void EpochEvaluated(EpochResult result)
    {
        folder.Require();
        log.Append(
            new LogRow
            {
                Epoch = result.Epoch,
                Step = result.Next.Step,
                TrainLoss = result.TrainLoss,
                ValLoss = result.Evaluation.Loss,
                ValTop1 = result.Evaluation.Top1,
                ValTop5 = result.Evaluation.Top5,
                Lr = result.LearningRate,
                ImagesPerSecond = result.ImagesPerSecond,
                DataWait = result.DataWait,
                Seconds = result.Seconds,
                Further = Further(result, _session?.Device.AllocatedBytes),
            }
        );
    }

    private static ImmutableSortedDictionary<string, double> Further(EpochResult result, long? deviceBytes)
    {
        Dictionary<string, double> columns = [];
        if (deviceBytes is { } bytes)
            columns[LogRow.DeviceBytes] = bytes;
        if (result.Evaluation is { Class: { } byClass, Distillation: { } byDistillation })
            (columns["val_top1_class"], columns["val_top1_distillation"]) = (byClass.Top1, byDistillation.Top1);
        if (result.Average is { } average)
            (columns["ema_top1"], columns["ema_top5"], columns["ema_loss"]) = (
                average.Top1,
                average.Top5,
                average.Loss
            );
        if (result.LossScale is { } scale)
            (columns["loss_scale"], columns["skipped_updates"]) = (scale[0], scale[2]);
        return columns.ToImmutableSortedDictionary(StringComparer.Ordinal);
    }
}
