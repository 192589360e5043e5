using System.Globalization;
using Deit.Train.Data.Loading;
using Deit.Train.Options;

namespace Deit.Train.Training;

/// <summary>Steps and epochs from a point of a training to its end. The only writer of the <see cref="TrainState"/>.</summary>
internal sealed class TrainingLoop
{
    private readonly TrainingSession _session;
    private readonly ITurns _turns;
    private readonly TrainingPlan _plan;
    private readonly TrainOptions _options;
    private readonly IReadOnlyList<ITrainingObserver> _observers;
    private readonly bool _resumed;
    private readonly UnreadableImages _unreadableTraining,
        _unreadableValidation;
    private bool _saidUnreadable; // the same on all ranks
    private TrainState _state;
    private EpochClock _clock;
    private readonly StepPace _pace;

    /// <summary>Prepares to go on from a point.</summary>
    /// <param name="session">The open training, with the tensors of that point.</param>
    /// <param name="turns">Takes the steps.</param>
    /// <param name="state">The point.</param>
    /// <param name="resumed">Whether the run was begun before.</param>
    /// <param name="observers">Are told in this order.</param>
    public TrainingLoop(
        TrainingSession session,
        ITurns turns,
        TrainState state,
        bool resumed,
        IReadOnlyList<ITrainingObserver> observers
    )
    {
        (_session, _turns, _plan, _options) = (session, turns, session.Plan, session.Plan.Options);
        (_resumed, _observers) = (resumed, observers);
        // A run that was stopped has said its first ones.
        int said = resumed && state.Epoch > 0 ? 1 : 0;
        _unreadableTraining = new UnreadableImages("training", _plan.Training.Samples, said);
        _unreadableValidation = new UnreadableImages("validation", _plan.Validation.Samples, said);
        turns.LossSum = state.PendingLoss;
        _state = state with { PendingLoss = 0 };
        _clock = new EpochClock(_plan.Training, _state);
        _pace = new StepPace(_state.Step, Math.Max(turns.Steps, _options.Step.AccumSteps), TimeProvider.System);
    }

    /// <summary>Trains to the end or until told to stop.</summary>
    /// <param name="stop">Asks to stop.</param>
    /// <returns>The exit code: 0, or that of the signal.</returns>
    /// <exception cref="DeitException">
    /// The loss is not finite, more than a half of the pictures cannot be read, or an observer failed, as when the disk
    /// is full; checkpoints are intact.
    /// </exception>
    public int Run(StopSignal stop)
    {
        Tell(observer => observer.Started(_session, _state, _resumed));
        while (_state.Epoch < _options.Schedule.Epochs)
        {
            double learningRate = _plan.Schedule.LearningRate(_state.Epoch, _state.ValidationLosses);
            if (!TrainEpoch(learningRate, stop) || !EvaluateEpoch(learningRate, stop))
            {
                _turns.PrepareSave();
                Tell(observer => observer.Stopped(_state));
                End(complete: false);
                return _turns.StopCode;
            }
        }
        End(complete: true);
        return 0;
    }

    private bool TrainEpoch(double learningRate, StopSignal stop)
    {
        _clock = new EpochClock(_plan.Training, _state);
        _turns.BeginEpoch();
        _pace.BeginEpoch(_state.Step);
        int steps = _plan.StepsPerEpoch;
        using IEnumerator<Batch> batches = _plan
            .Training.Epoch(
                _state.Epoch,
                _state.StepInEpoch,
                _session.Step.Slots,
                batch => batch < steps && _turns.Takes(batch % _turns.Steps)
            )
            .GetEnumerator();
        while (_state.StepInEpoch < steps)
        {
            int before = _state.StepInEpoch;
            try
            {
                TakeTurn(batches, learningRate);
            }
            catch (OperationCanceledException) when (stop.ExitCode != 0 && _turns.Steps == 1)
            {
                // Images of a program may hear of the stop first. The step has not begun.
                _state = Snapshot();
                return false;
            }
            // The loss is read at fixed steps, so that sums and logs do not depend on timing.
            if (RunOptions.Passes(_options.Run.PrintSteps, before, _state.StepInEpoch) || _state.StepInEpoch == steps)
                ReadLoss(learningRate);
            else if (_pace.WantsLook(_state.Step))
                Look(learningRate);
            Tell(observer => observer.StepDone(_state));
            if (RunOptions.Passes(_options.Run.SaveSteps, before, _state.StepInEpoch))
            {
                TrainState due = Snapshot();
                _turns.PrepareSave();
                Tell(observer => observer.SaveDue(due));
            }
            if (_turns.StopCode == 0)
                continue;
            _state = Snapshot();
            return false;
        }
        _clock.Stop();
        SayUnreadable(_unreadableTraining);
        return true;
    }

    private void TakeTurn(IEnumerator<Batch> batches, double learningRate)
    {
        for (int step = 0; step < _turns.Steps; step++)
            if (_turns.Takes(step))
            {
                if (!batches.MoveNext())
                    throw new InvalidOperationException(
                        $"The epoch ended before its step {_state.StepInEpoch + step}."
                    );
                using Batch batch = batches.Current;
                _turns.Submit(batch, _state.Step + step, learningRate);
            }
        _turns.End(_state.Step, learningRate);
        _state = _state.AfterSteps(_turns.Steps);
    }

    private void ReadLoss(double learningRate)
    {
        float sum = _turns.LossSum;
        RequireFinite(sum);
        // The first pictures that cannot be read are said at once, further ones at the end of the epoch.
        if (!_saidUnreadable)
            SayUnreadable(_unreadableTraining);
        _turns.LossSum = 0;
        _state = _state.AfterRead(sum, _clock.Seconds);
        _pace.Look(_state.Step);
        Progress progress = Standing(_state.LossSum, learningRate);
        Tell(observer => observer.LossRead(progress));
    }

    // The sum goes on as if nobody had looked, so that it has the same bits.
    private void Look(double learningRate)
    {
        float pending = _turns.LossSum;
        // Ranks look at different times by their clocks, and all of them must end at the same step.
        if (_turns.Steps == 1)
            RequireFinite(pending);
        _pace.Look(_state.Step);
        Progress progress = Standing(_state.LossSum + pending, learningRate);
        Tell(observer => observer.Advanced(progress));
    }

    private Progress Standing(double lossSum, double learningRate)
    {
        int steps = _plan.StepsPerEpoch,
            done = _state.StepInEpoch,
            batch = _options.Step.BatchSize,
            epochs = _options.Schedule.Epochs - _state.Epoch;
        return new Progress(
            _state.Epoch,
            _options.Schedule.Epochs,
            done,
            steps,
            _state.Step,
            lossSum / done,
            learningRate,
            batch / (_pace.StepSeconds ?? (_clock.SecondsNow / _clock.StepsSince(_state))),
            _clock.DataWait,
            _pace.Left(
                ((long)epochs * steps) - done,
                epochs,
                (_plan.ValidationImages.Count + batch - 1) / batch * (_session.Average is null ? 1 : 2)
            )
        );
    }

    // The sum of the steps since the last read is kept apart, in the device's arithmetic.
    private TrainState Snapshot()
    {
        float pending = _turns.LossSum;
        RequireFinite(pending);
        return _state.Paused(pending, _clock.Seconds);
    }

    private bool EvaluateEpoch(double learningRate, StopSignal stop)
    {
        IReadOnlyList<Evaluation>? evaluations = _turns.Evaluate(
            _plan.Validation.Epoch(0, takes: _turns.Evaluates, cancellation: stop.Token)
        );
        if (evaluations is null)
            return false;
        Evaluation evaluation = evaluations[0];
        Evaluation? average = evaluations.Count > 1 ? evaluations[1] : null;
        // Checked before anything is saved: the loss of the last step came before its update, which may have ruined the
        // weights.
        RequireFinite(evaluation.Loss);
        SayUnreadable(_unreadableValidation);
        int[] unread = evaluation.Unread(_plan.ValidationImages.Count);
        TrainState before = _state;
        _state = before.AfterEpoch(evaluation, average, unread);
        EpochResult result = new(
            before.Epoch,
            _options.Schedule.Epochs,
            before.LossSum / _plan.StepsPerEpoch,
            learningRate,
            (double)_plan.StepsPerEpoch * _options.Step.BatchSize / Math.Max(before.Seconds, 1e-9),
            _clock.DataWait,
            before.Seconds,
            evaluation,
            average,
            _session.Step.LossScale is { } scale ? _session.Device.Read<float>(scale) : null,
            IsBest: evaluation.Top1 > before.ToBeat(before.BestTop1, unread),
            IsBestAverage: average?.Top1 > before.ToBeat(before.BestEmaTop1, unread),
            _state
        );
        _turns.PrepareSave();
        Tell(observer => observer.EpochEvaluated(result));
        return true;
    }

    private void SayUnreadable(UnreadableImages images)
    {
        foreach (string notice in _turns.Notices(images.Next() is { } own ? Named(own) : null))
        {
            _saidUnreadable |= images == _unreadableTraining;
            Tell(observer => observer.Noticed(notice));
        }
        images.RequireHalf(_plan.Folder, _turns.UnreadByAny(images.Indices));
    }

    // Ranks read different pictures.
    private string Named(string notice) =>
        _session.Team is { World: { Size: > 1 } world } ? $"rank {world.Rank}: {notice}" : notice;

    private void RequireFinite(double loss)
    {
        if (!double.IsFinite(loss))
            throw new DeitException(
                DeitErrorKind.NotFinite,
                $"The loss is {loss.ToString(CultureInfo.InvariantCulture)} in epoch {_state.Epoch + 1} at or before step "
                    + $"{_state.StepInEpoch}, so training stopped; the checkpoints in '{_plan.Folder}' are from before: "
                    + "lower --lr, raise --warmup-epochs or set --clip-grad 1, and start anew."
            );
    }

    private void End(bool complete)
    {
        TrainingEnd end = new(_state, complete, _turns.Gather(_session.Unreadable), _turns.Exchange);
        Tell(observer => observer.Ended(end));
    }

    private void Tell(Action<ITrainingObserver> tell)
    {
        foreach (ITrainingObserver observer in _observers)
            tell(observer);
    }
}
