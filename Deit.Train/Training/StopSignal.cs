using System.Runtime.InteropServices;

namespace Deit.Train.Training;

/// <summary>
/// Turns Ctrl-C, SIGTERM, a terminal that closes and the warnings of schedulers into a request to stop, so that a run ends between two
/// steps with its state saved. A second Ctrl-C or SIGTERM ends the process at once, as if this class were not there.
/// </summary>
/// <remarks>A signal that was ignored when the process started, as SIGHUP under nohup, stays ignored: the runtime respects it.</remarks>
internal sealed class StopSignal : IDisposable
{
    // Signals without a name in .NET have their system's number. SIGXCPU is 24 on Linux and macOS.
    private const PosixSignal TimeIsUp = (PosixSignal)24;
    private static readonly PosixSignal User1 = (PosixSignal)(OperatingSystem.IsLinux() ? 10 : 30);

    private readonly CancellationTokenSource _stop = new();
    private readonly Action<string>? _announce;
    private readonly PosixSignalRegistration[] _registrations;
    private readonly CancellationTokenRegistration _asked;
    private int _exitCode,
        _demands;
    private volatile bool _savesNothing;

    /// <summary>Listens until disposed.</summary>
    /// <param name="announce">
    /// Gets one sentence when the first signal arrives; called on the signal's thread. An exception from it is dropped.
    /// </param>
    public StopSignal(Action<string>? announce = null)
    {
        _announce = announce;
        PosixSignal[] further = OperatingSystem.IsWindows() ? [] : [User1, TimeIsUp];
        _registrations =
        [
            .. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, .. further]).Select(
                signal => PosixSignalRegistration.Create(signal, Arrived)
            ),
        ];
    }

    /// <summary>Listens to no signal: a program asks to stop.</summary>
    /// <param name="asked">Asks, as Ctrl-C does.</param>
    public StopSignal(CancellationToken asked)
    {
        _registrations = [];
        _asked = asked.UnsafeRegister(static stop => ((StopSignal)stop!).Ask(), this);
    }

    /// <summary>Whether a signal has arrived.</summary>
    public bool Requested => ExitCode != 0;

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>
    /// The exit code of a process that was stopped so: 128 and the signal's number, as in shells. It is 130 for Ctrl-C,
    /// 143 for SIGTERM, 129 for SIGHUP, and 0 before any signal.
    /// </summary>
    public int ExitCode => Volatile.Read(ref _exitCode);

    /// <summary>True while there is nothing to save, as before the first step: a signal then is not held back.</summary>
    public bool SavesNothing
    {
        get => _savesNothing;
        set => _savesNothing = value;
    }

    /// <summary>Stops listening; signals act as before.</summary>
    public void Dispose()
    {
        // A handler may still be running, so the source is left as it is; without a timer it holds nothing to release.
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _asked.Dispose();
    }

    private void Ask()
    {
        if (Interlocked.CompareExchange(ref _exitCode, Code(PosixSignal.SIGINT), 0) == 0)
            _stop.Cancel();
    }

    /// <summary>
    /// The first signal asks to stop and is held back. Of later ones, Ctrl-C and SIGTERM are left to the system, which ends the process,
    /// when one of these two came before. The others never end it: a terminal that closes sends SIGHUP twice, and a scheduler sends
    /// SIGTERM some time after its warning.
    /// </summary>
    internal void Receive(PosixSignalContext context)
    {
        if (SavesNothing)
            return;
        bool demand = context.Signal is PosixSignal.SIGINT or PosixSignal.SIGTERM;
        context.Cancel = !demand || Interlocked.Increment(ref _demands) == 1;
        if (Interlocked.CompareExchange(ref _exitCode, Code(context.Signal), 0) != 0)
            return;
        _stop.Cancel();
        try
        {
            _announce?.Invoke(
                "Stopping after this step and saving the state; a second Ctrl-C or SIGTERM ends the process at once."
            );
        }
        catch (Exception)
        {
            // The terminal may be gone, which is why the signal came. An exception here would end the process.
        }
    }

    private void Arrived(PosixSignalContext context)
    {
        Receive(context);
        // Windows ends the process as soon as this returns when a console closes or a user logs off, and a few seconds later otherwise.
        if (
            OperatingSystem.IsWindows()
            && context.Cancel
            && context.Signal is PosixSignal.SIGHUP or PosixSignal.SIGTERM
        )
            Thread.Sleep(Timeout.Infinite);
    }

    private static int Code(PosixSignal signal) =>
        128
        + signal switch
        {
            PosixSignal.SIGHUP => 1,
            PosixSignal.SIGINT => 2,
            PosixSignal.SIGTERM => 15,
            _ => (int)signal,
        };
}
