using System.Diagnostics;
using Deit.Train.Data.Loading;

namespace Deit.Train.Training;

/// <summary>The time that the steps of an epoch take, from its first step on or from where a run was resumed.</summary>
internal sealed class EpochClock
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly BatchLoader _loader;
    private readonly TimeSpan _waitedBefore;
    private readonly TrainState _from;
    private (double Seconds, TimeSpan Waited)? _stopped;

    /// <summary>Starts.</summary>
    /// <param name="loader">Measures the waits for pictures.</param>
    /// <param name="from">The point at which the clock starts.</param>
    public EpochClock(BatchLoader loader, TrainState from) =>
        (_loader, _waitedBefore, _from) = (loader, loader.Waited, from);

    /// <summary>Seconds since the clock started.</summary>
    public double SecondsNow => _stopped?.Seconds ?? Stopwatch.GetElapsedTime(_start).TotalSeconds;

    /// <summary>Seconds that the epoch took so far, those before a resume among them.</summary>
    public double Seconds => _from.Seconds + SecondsNow;

    /// <summary>The share of the time spent waiting for pictures, 0 to 1.</summary>
    public double DataWait =>
        ((_stopped?.Waited ?? _loader.Waited) - _waitedBefore).TotalSeconds / Math.Max(1e-9, SecondsNow);

    /// <summary>Steps since the clock started.</summary>
    public int StepsSince(TrainState state) => state.StepInEpoch - _from.StepInEpoch;

    /// <summary>Stops the clock: later readings are those of this moment.</summary>
    public void Stop() => _stopped = (SecondsNow, _loader.Waited);
}
