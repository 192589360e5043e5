using Deit.Train.Distributed;
using Deit.Train.Distributed.Mpi;

namespace Deit.Cli.Terminal;

/// <summary>This process as one of several that a launcher started. A process joins the others once, and leaves once.</summary>
internal static class RankProcess
{
    private static MpiWorld? _world;
    private static bool _left;

    /// <summary>Who started this process as one of several; null where nobody did.</summary>
    /// <exception cref="DeitException">Slurm started several processes without connecting them.</exception>
    public static MpiLauncher? Launcher => MpiLauncher.Find(Environment.GetEnvironmentVariable);

    /// <summary>Refuses a command that trains several times: ranks join once and leave once.</summary>
    /// <param name="command">The command, as <c>deit bench distillation</c>.</param>
    /// <exception cref="DeitException">A launcher started several processes.</exception>
    public static void RequireAlone(string command)
    {
        if (Launcher is { Size: > 1 } launcher)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"{command} was started {launcher.Size} times by {launcher.Name}, and trains several times, which ranks cannot; "
                    + "start it without a launcher."
            );
    }

    /// <summary>
    /// Keeps escape codes from a launcher's output. Open MPI gives its processes a terminal each, to which .NET would
    /// talk as to any other. Called before anything is written.
    /// </summary>
    public static void PrepareConsole()
    {
        if (Environment.GetEnvironmentVariable("OMPI_COMM_WORLD_SIZE") is not null)
            Environment.SetEnvironmentVariable("TERM", "dumb");
    }

    /// <summary>Joins the others; null where no launcher started this process.</summary>
    /// <param name="timeout">How long a rank waits for the others.</param>
    /// <exception cref="DeitException">The library of the launcher's MPI is missing, or another was found.</exception>
    public static World? Join(TimeSpan timeout)
    {
        if (_left)
            throw new DeitException(
                DeitErrorKind.Usage,
                "A second training of this command was to begin under a launcher, and ranks train once; start the command "
                    + "without the launcher."
            );
        _world = MpiWorld.Join(timeout);
        if (_world is not null)
            Output.Rank = _world.Rank;
        return _world;
    }

    /// <summary>Leaves in order, once all have done their work.</summary>
    /// <param name="exitCode">The exit code of this process.</param>
    /// <exception cref="DeitException">A rank has ended, or did not come within the timeout.</exception>
    public static void Leave(int exitCode)
    {
        _left |= _world is not null;
        Flush();
        _world?.Leave(exitCode);
        _world = null;
    }

    /// <summary>
    /// Called before this process says why it fails. Most failures are those of all ranks, and one sentence is enough: a
    /// rank other than 0 gives rank 0 the time to say it and to end all.
    /// </summary>
    public static void LetFirstSpeak()
    {
        if (_world is { IsFirst: false })
            Thread.Sleep(TimeSpan.FromSeconds(1));
    }

    /// <summary>Ends all others where this process ends without having left.</summary>
    /// <param name="exitCode">The exit code of this process.</param>
    public static void AbortUnlessLeft(int exitCode)
    {
        if (_world is null)
            return;
        Flush();
        _world.Abort("", exitCode);
    }

    // The process may end without its usual end.
    private static void Flush()
    {
        try
        {
            Console.Out.Flush();
        }
        catch (OutputException)
        {
            // A full disk under the output must not keep the ranks from ending.
        }
    }
}
