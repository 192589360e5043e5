using System.Runtime.InteropServices;

namespace Deit.Train.Training;

/// <summary>
/// Turns Ctrl-C and SIGTERM into a request to stop, so that a run ends between two steps with its state saved.
/// A second signal ends the process at once, as if this class were not there.
/// </summary>
internal sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Action<string>? _announce;
    private readonly PosixSignalRegistration[] _registrations;
    private int _exitCode;

    /// <summary>Listens until disposed.</summary>
    /// <param name="announce">Gets one sentence when the first signal arrives; called on the signal's thread.</param>
    public StopSignal(Action<string>? announce = null)
    {
        _announce = announce;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Receive),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Receive),
        ];
    }

    /// <summary>Whether a signal has arrived.</summary>
    public bool Requested => ExitCode != 0;

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>
    /// The exit code of a process that was stopped so: 128 and the signal's number, as in shells. It is 130 for Ctrl-C,
    /// 143 for SIGTERM, and 0 before any signal.
    /// </summary>
    public int ExitCode => Volatile.Read(ref _exitCode);

    /// <summary>Stops listening; signals act as before.</summary>
    public void Dispose()
    {
        // A handler may still be running, so the source is left as it is; without a timer it holds nothing to release.
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
    }

    /// <summary>The first signal asks to stop and is held back; later ones are left to the system, which ends the process.</summary>
    internal void Receive(PosixSignalContext context)
    {
        int code = context.Signal == PosixSignal.SIGTERM ? 143 : 130;
        context.Cancel = Interlocked.CompareExchange(ref _exitCode, code, 0) == 0;
        if (!context.Cancel)
            return;
        _announce?.Invoke("Stopping after this step and saving the state; a second signal ends the process at once.");
        _stop.Cancel();
    }
}
