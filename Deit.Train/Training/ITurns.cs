using Deit.Train.Data.Loading;

namespace Deit.Train.Training;

/// <summary>
/// The steps of a training in turns. Between two turns a training may be read, saved and stopped. A turn of one process
/// is a step. Where several ranks train together it is an update, of whose steps a rank takes some.
/// </summary>
internal interface ITurns
{
    /// <summary>Steps of a turn.</summary>
    int Steps { get; }

    /// <summary>Whether this process takes a step.</summary>
    /// <param name="step">The step's number within the turn.</param>
    bool Takes(int step);

    /// <summary>Says of the number of a batch whether this process evaluates it; null where it evaluates all.</summary>
    Func<int, bool>? Evaluates { get; }

    /// <summary>An epoch is about to begin: until its end the same process takes the same steps of each turn.</summary>
    void BeginEpoch();

    /// <summary>Takes a step.</summary>
    /// <param name="batch">The batch, of the step's <see cref="TrainStep.Slots"/>.</param>
    /// <param name="step">The number of the step since the start of the run.</param>
    /// <param name="learningRate">The learning rate in force.</param>
    /// <exception cref="DeitException">The teacher has no answer for a picture.</exception>
    void Submit(Batch batch, long step, double learningRate);

    /// <summary>Ends a turn.</summary>
    /// <param name="step">The number of its first step since the start of the run.</param>
    /// <param name="learningRate">The learning rate in force.</param>
    /// <exception cref="DeitException">A rank has ended or is late.</exception>
    void End(long step, double learningRate);

    /// <summary>The sum of the losses of all steps since it was last set, in F32; reading waits for the queued steps.</summary>
    float LossSum { get; set; }

    /// <summary>The exit code of the signal that asks to stop, agreed on by all; 0 without.</summary>
    int StopCode { get; }

    /// <summary>What the exchange with others took so far; null where there are none.</summary>
    ExchangeFigures? Exchange { get; }

    /// <summary>A checkpoint is about to be written: what other processes keep of the training comes to the one that writes.</summary>
    void PrepareSave();

    /// <summary>Evaluates the pictures of batches, together with the others.</summary>
    /// <param name="batches">Those that this process evaluates.</param>
    /// <returns>The same on every rank; null where a signal asked to stop.</returns>
    IReadOnlyList<Evaluation>? Evaluate(IEnumerable<Batch> batches);

    /// <summary>The pictures that some process could not read.</summary>
    /// <param name="own">Those of this one, by number.</param>
    IReadOnlyCollection<int> UnreadByAny(int[] own);

    /// <summary>The notices of all processes, each once.</summary>
    /// <param name="own">That of this one; null for none.</param>
    IReadOnlyList<string> Notices(string? own);

    /// <summary>What all processes have to say, each thing once.</summary>
    /// <param name="own">That of this one.</param>
    IReadOnlyList<string> Gather(IReadOnlyList<string> own);
}

/// <summary>A process that trains alone.</summary>
/// <param name="session">The open training.</param>
/// <param name="stop">Asks to stop.</param>
internal sealed class SingleSteps(TrainingSession session, StopSignal stop) : ITurns
{
    /// <inheritdoc/>
    public int Steps => 1;

    /// <inheritdoc/>
    public bool Takes(int step) => true;

    /// <inheritdoc/>
    public Func<int, bool>? Evaluates => null;

    /// <inheritdoc/>
    public void BeginEpoch() { }

    /// <inheritdoc/>
    public void Submit(Batch batch, long step, double learningRate) => session.Submit(batch, step, learningRate);

    /// <inheritdoc/>
    public void End(long step, double learningRate) { }

    /// <inheritdoc/>
    public float LossSum
    {
        get => session.Step.LossSum;
        set => session.Step.LossSum = value;
    }

    /// <inheritdoc/>
    public int StopCode => stop.ExitCode;

    /// <inheritdoc/>
    public ExchangeFigures? Exchange => null;

    /// <inheritdoc/>
    public void PrepareSave() { }

    /// <inheritdoc/>
    public IReadOnlyList<Evaluation>? Evaluate(IEnumerable<Batch> batches)
    {
        try
        {
            return session.Evaluator.Run(batches);
        }
        catch (OperationCanceledException) when (stop.ExitCode != 0)
        {
            // A stop waits for a step, not for a whole validation set: the evaluation is done anew on resuming.
            return null;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<int> UnreadByAny(int[] own) => own;

    /// <inheritdoc/>
    public IReadOnlyList<string> Notices(string? own) => own is null ? [] : [own];

    /// <inheritdoc/>
    public IReadOnlyList<string> Gather(IReadOnlyList<string> own) => own;
}
