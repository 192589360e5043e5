using Deit.Model;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>Keeps the checkpoints of a run up to date.</summary>
/// <param name="checkpoint">Writes the folders.</param>
/// <param name="session">The tensors.</param>
internal sealed class CheckpointObserver(RunCheckpoint checkpoint, TrainingSession session) : ITrainingObserver
{
    private int _saved; // the step of the epoch that was looked at last

    /// <inheritdoc/>
    public void Started(TrainingSession session, TrainState state, bool resumed) => _saved = state.StepInEpoch;

    /// <inheritdoc/>
    public void StepDone(TrainState state, Func<TrainState> snapshot)
    {
        int before = _saved < state.StepInEpoch ? _saved : 0,
            every = session.Plan.Options.Run.SaveSteps;
        _saved = state.StepInEpoch;
        if (every > 0 && RunOptions.Passes(every, before, state.StepInEpoch))
            Save(snapshot());
    }

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
