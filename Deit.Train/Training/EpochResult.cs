namespace Deit.Train.Training;

/// <summary>The figures of an epoch.</summary>
/// <param name="Epoch">The epoch, counted from 0.</param>
/// <param name="Epochs">Epochs of the training.</param>
/// <param name="TrainLoss">The mean training loss.</param>
/// <param name="LearningRate">The rate in force.</param>
/// <param name="ImagesPerSecond">Training images a second.</param>
/// <param name="DataWait">The share of the training time spent waiting for pictures, 0 to 1.</param>
/// <param name="Seconds">Seconds that the steps took.</param>
/// <param name="Evaluation">The evaluation.</param>
/// <param name="Average">That of the moving average; null without.</param>
/// <param name="LossScale">The state of dynamic loss scaling, see <see cref="Deit.Gpu.LossScaleOp"/>; null without.</param>
/// <param name="IsBest">Whether the evaluation is the best so far. One that lacks pictures which an earlier one read is
/// not.</param>
/// <param name="IsBestAverage">The same of the moving average.</param>
/// <param name="Next">The point at which the next epoch begins.</param>
internal sealed record EpochResult(
    int Epoch,
    int Epochs,
    double TrainLoss,
    double LearningRate,
    double ImagesPerSecond,
    double DataWait,
    double Seconds,
    Evaluation Evaluation,
    Evaluation? Average,
    float[]? LossScale,
    bool IsBest,
    bool IsBestAverage,
    TrainState Next
);
