namespace Deit.Model.Files;

/// <summary>
/// Tidies up when the process ends early, as by a signal: temporary files and locks do not stay. It is no use against SIGKILL.
/// </summary>
internal sealed class ExitGuard : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Action _tidy;
    private bool _ended;

    /// <summary>Guards until disposed.</summary>
    /// <param name="tidy">Called on the thread that ends the process; its I/O errors are dropped.</param>
    public ExitGuard(Action tidy)
    {
        _tidy = tidy;
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    /// <summary>
    /// Does what must not be torn apart by the tidying. Where the process is ending already, this never returns: the work would fail and
    /// the user would read of it.
    /// </summary>
    public void Do(Action whole)
    {
        lock (_gate)
        {
            if (!_ended)
            {
                whole();
                return;
            }
        }
        Thread.Sleep(Timeout.Infinite);
    }

    public void Dispose() => AppDomain.CurrentDomain.ProcessExit -= OnExit;

    private void OnExit(object? sender, EventArgs e)
    {
        lock (_gate)
        {
            if (_ended)
                return;
            _ended = true;
            try
            {
                _tidy();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // What stays is tidied up by the next writer.
            }
        }
    }
}
