using Deit.Model;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>Keeps the checkpoints of a run up to date.</summary>
/// <param name="checkpoint">Writes the folders.</param>
/// <param name="session">The tensors.</param>
internal sealed class CheckpointObserver(RunCheckpoint checkpoint, TrainingSession session) : ITrainingObserver
{
    /// <inheritdoc/>
    public void SaveDue(TrainState state) => Save(state);

    /// <inheritdoc/>
    public void EpochEvaluated(EpochResult result)
    {
        ModelDescription description = session.Plan.Description;
        if (result.IsBest)
            checkpoint.SaveBest(description, session.Model.Parameters);
        if (result.IsBestAverage)
            checkpoint.SaveBestEma(description, session.Average!.Parameters);
        Save(result.Next);
    }

    /// <inheritdoc/>
    public void Stopped(TrainState state) => Save(state);

    private void Save(TrainState state) =>
        checkpoint.SaveLast(session.Plan.Description, CheckpointTensors.Of(session, state), state);
}
