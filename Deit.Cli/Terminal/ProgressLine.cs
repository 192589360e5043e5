using Deit.Model.Text;

namespace Deit.Cli.Terminal;

/// <summary>
/// Shows how a run gets on: on a terminal one line that renews itself, elsewhere a plain line now and then. Thread-safe.
/// </summary>
/// <remarks>Only a carriage return and blanks renew the line: every terminal knows them, old Windows consoles included.</remarks>
internal sealed class ProgressLine : IDisposable
{
    private static readonly TimeSpan LiveInterval = TimeSpan.FromMilliseconds(100);
    private readonly Lock _lock = new();
    private readonly TextWriter _output;
    private readonly Func<int>? _width;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private long? _lastShown;
    private object? _pending;
    private int _lineLength;

    /// <summary>Shows progress on a writer.</summary>
    /// <param name="output">Where to; not disposed.</param>
    /// <param name="width">
    /// The terminal's width in characters, asked each time for windows change; null where the output is no terminal.
    /// </param>
    /// <param name="interval">Time between plain lines; a terminal is renewed ten times a second.</param>
    /// <param name="time">The clock.</param>
    internal ProgressLine(TextWriter output, Func<int>? width, TimeSpan interval, TimeProvider time)
    {
        (_output, _width, _time) = (output, width, time);
        _interval = width is null ? interval : LiveInterval;
    }

    /// <summary>Shows progress on standard output.</summary>
    /// <param name="mayRenew">False where lines go through a launcher, which may show them on no terminal.</param>
    public static ProgressLine OnConsole(bool mayRenew = true) =>
        new(
            Console.Out,
            Console.IsOutputRedirected || !mayRenew ? null : () => Console.WindowWidth,
            TimeSpan.FromSeconds(10),
            TimeProvider.System
        );

    /// <summary>Shows progress on the error stream: the standard output is the answer.</summary>
    public static ProgressLine OnErrorStream() =>
        new(
            Console.Error,
            Console.IsErrorRedirected ? null : () => Console.WindowWidth,
            TimeSpan.FromSeconds(10),
            TimeProvider.System
        );

    /// <summary>Tells where the run stands. Report every step: the point is shown when it is time to.</summary>
    /// <param name="progress">The point; its text is the line.</param>
    /// <param name="plain">The time since the line before, where lines are plain; that of the constructor without it.</param>
    public void Report<T>(in T progress, TimeSpan? plain = null)
        where T : notnull
    {
        lock (_lock)
        {
            _pending = progress;
            TimeSpan interval = _width is null ? plain ?? _interval : _interval;
            if (_lastShown is not { } last || _time.GetElapsedTime(last) >= interval)
                Show();
        }
    }

    /// <summary>Prints a line that stays, such as an epoch's result; a live line moves below it.</summary>
    public void WriteLine(string line)
    {
        lock (_lock)
        {
            Erase();
            Write(output => output.WriteLine(Printable.Line(line)));
            // A result makes an earlier report old: it is dropped, and the live line returns with the next report.
            (_pending, _lastShown) = (null, _width is null ? _lastShown : null);
        }
    }

    /// <summary>Shows the last report if it has not been shown, and ends a live line.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_pending is not null)
                Show();
            if (_lineLength > 0)
                Write(output => output.WriteLine());
            _lineLength = 0;
        }
    }

    private void Show()
    {
        string line = Printable.Line($"{_pending}");
        (_pending, _lastShown) = (null, _time.GetTimestamp());
        if (_width is null)
        {
            Write(output => output.WriteLine(line));
        }
        else
        {
            int room = Room();
            line = line.Length > room ? line[..room] : line;
            Write(output => output.Write('\r' + line.PadRight(Math.Min(_lineLength, room))));
            _lineLength = line.Length;
        }
    }

    // The last column stays free, since writing it would wrap on some terminals. A width of 0 means that nobody set it, and a
    // terminal that is gone has none.
    private int Room()
    {
        try
        {
            return _width!() is > 1 and int width ? width - 1 : 79;
        }
        catch (Exception error) when (error is IOException or InvalidOperationException)
        {
            return 79;
        }
    }

    // A training of days must not end because the disk of its log is full or its terminal is gone. What cannot be written is
    // dropped, and the next line is tried again: the disk may have space by then.
    private void Write(Action<TextWriter> write)
    {
        try
        {
            write(_output);
            _output.Flush();
        }
        catch (Exception error) when (error is OutputException or IOException or UnauthorizedAccessException)
        {
            // The run folder's log has every figure.
        }
    }

    private void Erase()
    {
        if (_lineLength > 0)
            Write(output => output.Write('\r' + new string(' ', _lineLength) + '\r'));
        _lineLength = 0;
    }
}
