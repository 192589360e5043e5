namespace Deit.Train.Training;

/// <summary>
/// How fast a training gets on, and how long the rest takes. The first update of a process counts for nothing: in it the driver
/// compiles.
/// </summary>
/// <param name="first">Steps that were done before.</param>
/// <param name="update">Steps of an update.</param>
/// <param name="time">The clock.</param>
internal sealed class StepPace(long first, int update, TimeProvider time)
{
    /// <summary>The part of an evaluation's time in that of a step on as many pictures: there is no way back.</summary>
    private const double ForwardShare = 1.0 / 3;

    /// <summary>What the speed so far counts beside that of a further step.</summary>
    private const double Kept = 0.9;

    /// <summary>Where a step takes longer, each is waited for: a stop then waits for one step, and for none that is queued.</summary>
    private static readonly TimeSpan SlowStep = TimeSpan.FromSeconds(1);

    /// <summary>The longest time without a word.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    private readonly long _first = first;
    private long _step = first,
        _at = time.GetTimestamp();
    private double? _between;
    private bool _began;

    /// <summary>Seconds that a step takes; null while unknown.</summary>
    public double? StepSeconds { get; private set; }

    /// <summary>Whether the device is waited for after a step, to tell where the training stands.</summary>
    /// <param name="step">Steps done since the start of the run.</param>
    public bool WantsLook(long step) =>
        step - _first <= 2 * update || StepSeconds > SlowStep.TotalSeconds || time.GetElapsedTime(_at) >= Silence;

    /// <summary>An epoch begins; what passed since the last look was evaluating and saving.</summary>
    /// <param name="step">Steps done since the start of the run.</param>
    public void BeginEpoch(long step)
    {
        if (_began)
            _between = time.GetElapsedTime(_at).TotalSeconds;
        (_began, _step, _at) = (true, step, time.GetTimestamp());
    }

    /// <summary>The device has done all steps so far.</summary>
    /// <param name="step">Steps done since the start of the run.</param>
    public void Look(long step)
    {
        if (step - _first > update && step > _step)
        {
            double seconds = time.GetElapsedTime(_at).TotalSeconds / (step - _step),
                kept = Math.Pow(Kept, step - _step);
            StepSeconds = (kept * (StepSeconds ?? seconds)) + ((1 - kept) * seconds);
        }
        (_step, _at) = (step, time.GetTimestamp());
    }

    /// <summary>The time to the end; null while unknown.</summary>
    /// <param name="steps">Steps to do.</param>
    /// <param name="epochs">Epochs to evaluate and save.</param>
    /// <param name="batches">Batches of an evaluation, as large as those of the steps.</param>
    public TimeSpan? Left(long steps, int epochs, int batches) =>
        StepSeconds is { } step
            ? TimeSpan.FromSeconds((steps * step) + (epochs * (_between ?? (batches * ForwardShare * step))))
            : null;
}
