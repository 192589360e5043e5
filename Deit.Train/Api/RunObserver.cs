using Deit.Gpu;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Train;

/// <summary>Tells a program how a training gets on, and gathers the result.</summary>
/// <param name="progress">The program; null where it does not listen.</param>
/// <param name="notice">What was chosen for the user, a sentence without a point at its end; null for nothing.</param>
internal sealed class RunObserver(IProgress<TrainingProgress>? progress, string? notice) : ITrainingObserver
{
    private readonly List<EpochFigures> _history = [];
    private readonly List<string> _notices = [];
    private TrainingPlan? _plan;
    private GpuInfo? _device;
    private TrainingProgress? _point;
    private TrainingEnd? _end;

    /// <inheritdoc/>
    public void Started(TrainingSession session, TrainState state, bool resumed)
    {
        (_plan, _device) = (session.Plan, session.Device.Info);
        int epochs = _plan.Options.Schedule.Epochs;
        Report(
            new TrainingProgress
            {
                Device = _device,
                Epoch = Math.Min(state.Epoch + 1, epochs),
                Epochs = epochs,
                Step = state.Epoch < epochs ? state.StepInEpoch : _plan.StepsPerEpoch,
                Steps = _plan.StepsPerEpoch,
            }
        );
        string[] before = [.. _notices];
        _notices.Clear();
        foreach (string sentence in (IEnumerable<string>)[.. before, .. session.Notices])
            Noticed(sentence);
        if (notice is not null)
            Noticed(notice);
    }

    /// <inheritdoc/>
    public void LossRead(Progress point) =>
        Report(
            _point! with
            {
                Epoch = point.Epoch + 1,
                Epochs = point.Epochs,
                Step = point.Step,
                Steps = point.Steps,
                Loss = point.Loss,
                LearningRate = point.LearningRate,
                ImagesPerSecond = point.ImagesPerSecond,
                Remaining = point.Left,
            }
        );

    /// <inheritdoc/>
    public void Noticed(string sentence)
    {
        _notices.Add(sentence);
        // Before the start there is no point to tell of; it is told then.
        if (_point is not null)
            progress?.Report(_point with { Notice = sentence });
    }

    /// <inheritdoc/>
    public void EpochEvaluated(EpochResult result)
    {
        EpochFigures figures = new()
        {
            Epoch = result.Epoch + 1,
            TrainingLoss = result.TrainLoss,
            ValidationLoss = result.Evaluation.Loss,
            Top1 = result.Evaluation.Top1,
            Top5 = result.Evaluation.Top5,
            AverageTop1 = result.Average?.Top1,
            LearningRate = result.LearningRate,
            Duration = TimeSpan.FromSeconds(result.Seconds),
            IsBest = result.IsBest,
        };
        _history.Add(figures);
        progress?.Report(_point! with { Evaluated = figures });
    }

    /// <inheritdoc/>
    public void Ended(TrainingEnd end) => _end = end;

    /// <summary>The result of a training that is complete.</summary>
    public TrainingResult Result()
    {
        RunCheckpoint folders = new(_plan!.Folder);
        TrainState state = _end!.State;
        bool averages = _plan.Options.Average.Enabled;
        return new TrainingResult
        {
            Output = _plan.Folder,
            BestModel = folders.Best,
            LastModel = folders.Last,
            AverageModel = averages ? folders.BestEma : null,
            BestTop1 = state.BestTop1,
            AverageTop1 = averages ? state.BestEmaTop1 : null,
            Epochs = _plan.Options.Schedule.Epochs,
            Steps = state.Step,
            Device = _device!,
            History = _history,
            Notices = _notices,
            Unreadable = _end.Unreadable,
        };
    }

    private void Report(TrainingProgress point)
    {
        _point = point;
        progress?.Report(point);
    }
}
