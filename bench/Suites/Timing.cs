using System.Diagnostics;
using Deit.Gpu;

namespace Deit.Bench.Suites;

/// <summary>How long something is measured.</summary>
/// <param name="WarmUp">Seconds before anything counts; one run at least.</param>
/// <param name="Seconds">Seconds that count, all repetitions together; one run a repetition at least.</param>
/// <param name="Repetitions">The number of repetitions into which the seconds are cut.</param>
internal sealed record Pace(double WarmUp, double Seconds, int Repetitions);

/// <summary>The median of repetitions, and the distance of their quartiles as a share of it.</summary>
/// <param name="Milliseconds">The median.</param>
/// <param name="Spread">The distance of the quartiles.</param>
/// <param name="CpuMilliseconds">
/// The processor time of this process, all threads together, that a run took on average; null where it was not measured.
/// </param>
internal readonly record struct Timing(double Milliseconds, double Spread, double? CpuMilliseconds = null)
{
    // A driver takes a queue of any length, but keeps memory for each submission.
    private const int MostQueued = 1024;

    /// <summary>Summarises repetitions.</summary>
    public static Timing Of(IEnumerable<double> milliseconds)
    {
        double[] sorted = [.. milliseconds.Order()];
        double median = sorted[sorted.Length / 2];
        return new Timing(median, (sorted[sorted.Length * 3 / 4] - sorted[sorted.Length / 4]) / median);
    }

    /// <summary>Times something that is done when it returns.</summary>
    public static Timing OfRuns(Action run, Pace pace)
    {
        int count = Count(run, pace);
        double[] runs = new double[pace.Repetitions];
        TimeSpan before = Environment.CpuUsage.TotalTime;
        for (int i = 0; i < pace.Repetitions; i++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int done = 0; done < count; done++)
                run();
            runs[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds / count;
        }
        return Of(runs) with { CpuMilliseconds = CpuSince(before) / (count * pace.Repetitions) };
    }

    /// <summary>Times a graph replayed back to back, as training does: within a repetition nothing waits for the device.</summary>
    /// <returns>The time of a replay, and the host's share: the median of submissions to an idle device.</returns>
    public static (Timing Replay, Timing Submission) OfReplays(GpuDevice device, Graph graph, Pace pace)
    {
        int count = Math.Min(Count(graph.Run, pace), MostQueued);
        double[] replays = new double[pace.Repetitions],
            submissions = new double[pace.Repetitions];
        TimeSpan before = Environment.CpuUsage.TotalTime;
        for (int i = 0; i < pace.Repetitions; i++)
        {
            long start = Stopwatch.GetTimestamp();
            graph.Submit();
            submissions[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            for (int queued = 1; queued < count; queued++)
                graph.Submit();
            device.WaitIdle();
            replays[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds / count;
        }
        return (Of(replays) with { CpuMilliseconds = CpuSince(before) / (count * pace.Repetitions) }, Of(submissions));
    }

    // Warms up, and tells how many runs fill a repetition.
    private static int Count(Action run, Pace pace)
    {
        double one;
        long begin = Stopwatch.GetTimestamp();
        do
        {
            long start = Stopwatch.GetTimestamp();
            run();
            one = Stopwatch.GetElapsedTime(start).TotalSeconds;
        } while (Stopwatch.GetElapsedTime(begin).TotalSeconds < pace.WarmUp);
        return (int)Math.Clamp(pace.Seconds / pace.Repetitions / one, 1, int.MaxValue);
    }

    private static double CpuSince(TimeSpan before) => (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
}
