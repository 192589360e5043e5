using System.Runtime.InteropServices;

namespace Deit.Cli.Terminal;

/// <summary>
/// Lets Ctrl-C, SIGTERM and a terminal that closes end the process at once, but with its temporary files and locks removed. What holds a
/// signal back, as a training does, comes first.
/// </summary>
internal sealed partial class EarlyEnd : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;
    private int _ending;

    /// <summary>Listens until disposed. Create it before everything else that listens: the last one that listens is asked first.</summary>
    public EarlyEnd()
    {
        // A write beyond the limit on file sizes fails with an error, in place of the signal SIGXFSZ that ends the process.
        if (!OperatingSystem.IsWindows())
            _ = SetHandler(25, 1);
        _registrations =
        [
            .. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP]).Select(signal =>
                PosixSignalRegistration.Create(signal, Receive)
            ),
        ];
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
    }

    private void Receive(PosixSignalContext context)
    {
        // Held back by a training; or the second one, which ends a process that hangs while it tidies up.
        if (context.Cancel || Interlocked.Exchange(ref _ending, 1) == 1)
            return;
        context.Cancel = true;
        int signal = context.Signal switch
        {
            PosixSignal.SIGHUP => 1,
            PosixSignal.SIGINT => 2,
            _ => 15,
        };
        // A shell stops its loop at Ctrl-C when the command died of the signal, not when it ended with a code. So does SIGHUP.
        if (!OperatingSystem.IsWindows() && signal != 15)
            AppDomain.CurrentDomain.ProcessExit += (_, _) => Die(signal);
        Environment.Exit(128 + signal);
    }

    private static void Die(int signal)
    {
        _ = SetHandler(signal, 0);
        _ = Raise(Environment.ProcessId, signal);
        // The signal comes to any thread; the process ends before this does.
        Thread.Sleep(Timeout.Infinite);
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Raise(int process, int signal);
}
