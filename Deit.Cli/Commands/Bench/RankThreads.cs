using System.Runtime.ExceptionServices;
using Deit.Train.Distributed;

namespace Deit.Cli.Commands.Bench;

/// <summary>Ranks of a bench that are threads of this process.</summary>
internal static class RankThreads
{
    /// <summary>Does the same on each of several threads, and waits for all.</summary>
    /// <param name="ranks">How many there are.</param>
    /// <param name="work">What each of them does.</param>
    /// <exception cref="DeitException">The error of the rank that failed first.</exception>
    public static void Run(int ranks, Action<World> work)
    {
        ExceptionDispatchInfo? failure = null;
        Thread[] threads =
        [
            .. ThreadWorld.Create(ranks).Select(world => new Thread(() => Try(world)) { IsBackground = true }),
        ];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        failure?.Throw();

        void Try(ThreadWorld world)
        {
            try
            {
                work(world);
            }
            catch (Exception error) // of every type: the caller must hear of it
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(error), null);
                world.Abort(error.Message, exitCode: 1);
            }
        }
    }
}
