using System.Runtime.ExceptionServices;
using Deit.Gpu;
using Deit.Train.Distributed;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>Trains on several devices of one process: a thread and a rank for each.</summary>
internal static class ThreadRanks
{
    /// <summary>Opens the run on every rank and trains to the end or until told to stop.</summary>
    /// <param name="options">The recipe; of a resumed run, its own.</param>
    /// <param name="resume">The run folder to go on with; null for a new run.</param>
    /// <param name="devices">A device for each rank, as <c>--device</c> names it; null for a rank chooses itself.</param>
    /// <param name="stop">Asks to stop.</param>
    /// <param name="opened">Is told of rank 0's run before it begins.</param>
    /// <param name="observers">Of rank 0.</param>
    /// <returns>The exit code: 0, or that of the signal.</returns>
    /// <exception cref="DeitException">The training failed; the error of the rank that failed first.</exception>
    /// <exception cref="GpuException">There is no such device, or it has not enough memory.</exception>
    public static int Run(
        TrainOptions options,
        string? resume,
        IReadOnlyList<string?> devices,
        StopSignal stop,
        Action<TrainRun>? opened,
        params IEnumerable<ITrainingObserver> observers
    )
    {
        ThreadWorld[] worlds = ThreadWorld.Create(devices.Count, TimeSpan.FromSeconds(options.Run.Ranks.Timeout));
        Lock gate = new();
        ExceptionDispatchInfo? first = null;
        Thread[] others =
        [
            .. worlds
                .Skip(1)
                .Select(world => new Thread(() => Rank(world)) { Name = $"rank {world.Rank}", IsBackground = true }),
        ];
        foreach (Thread other in others)
            other.Start();
        int code = Rank(worlds[0]);
        // After a failure the others end by themselves, unless one hangs: that one ends with the process.
        foreach (Thread other in others)
            other.Join(first is null ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(10));
        first?.Throw();
        return code;

        int Rank(ThreadWorld world)
        {
            try
            {
                TrainOptions own = options with
                {
                    Run = options.Run with
                    {
                        Device = options.Run.Device with
                        {
                            Selector = devices[world.Rank] ?? options.Run.Device.Selector,
                        },
                    },
                };
                using TrainRun run = TrainRun.OpenRank(own, resume, stop, world, world.IsFirst ? observers : []);
                if (world.IsFirst)
                    opened?.Invoke(run);
                int result = run.Run(stop);
                world.Leave(result);
                return result;
            }
            catch (Exception error) // of every type: the caller must hear of it
            {
                lock (gate)
                    first ??= ExceptionDispatchInfo.Capture(error);
                world.Abort(error.Message, exitCode: 1);
                return 1;
            }
        }
    }
}
