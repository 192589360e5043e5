namespace Deit.Tests.Model.Hub;

/// <summary>A clock whose timers run a hundred times as fast, so that pauses of seconds take no time in tests.</summary>
internal sealed class HurriedTime : TimeProvider
{
    private const int Factor = 100;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        System.CreateTimer(callback, state, Hurried(dueTime), Hurried(period));

    private static TimeSpan Hurried(TimeSpan time) => time == Timeout.InfiniteTimeSpan ? time : time / Factor;
}
