using Deit.Model;
using Deit.Model.Hub;

namespace Deit.Cli.Terminal;

/// <summary>Shows on the error stream how models of the Hub are fetched: size, rate, time that is left.</summary>
/// <param name="time">The clock.</param>
/// <param name="line">Makes the line that shows it.</param>
internal sealed class HubTerminal(TimeProvider time, Func<ProgressLine> line) : IHubObserver
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _noticed = new(StringComparer.Ordinal);
    private ProgressLine? _line;
    private HubRate? _rate;
    private string? _model,
        _finished;

    /// <summary>Makes all downloads of this process tell of themselves on the console.</summary>
    public static HubTerminal Install()
    {
        HubTerminal terminal = new(TimeProvider.System, ProgressLine.OnErrorStream);
        HubModels.Observer = terminal;
        // Ctrl-C ends the process in the middle of a line.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => terminal.EndLine();
        return terminal;
    }

    /// <summary>Ends the line of a download that is under way: something else is about to be printed.</summary>
    public void EndLine()
    {
        lock (_lock)
            End();
    }

    /// <inheritdoc/>
    public void Notice(string sentence)
    {
        lock (_lock)
        {
            End();
            // A model may be opened several times, and by every rank of a training.
            if (_noticed.Add(sentence) && RankProcess.Launcher is not { Rank: > 0 })
                Output.Notice(sentence);
        }
    }

    /// <inheritdoc/>
    public void Report(HubProgress progress)
    {
        lock (_lock)
        {
            // The end is told when the last byte came, and again when the hash was found right.
            if (progress.Done >= progress.Total && _finished == progress.Model)
                return;
            _finished = null;
            if (_line is null || _model != progress.Model)
            {
                End();
                (_line, _model, _rate) = (line(), progress.Model, new HubRate(time, progress.Done));
            }
            _line.Report(_rate!.Line(progress));
            if (progress.Done < progress.Total)
                return;
            End();
            _finished = progress.Model;
        }
    }

    private void End()
    {
        _line?.Dispose();
        (_line, _model, _rate) = (null, null, null);
    }
}

/// <summary>Tells how fast a download is.</summary>
/// <param name="time">The clock.</param>
/// <param name="first">Bytes that were there at its beginning.</param>
internal sealed class HubRate(TimeProvider time, long first)
{
    private readonly long _start = time.GetTimestamp();

    /// <summary>One line on the download, as "Fetching timm/x  12.3 of 22.9 MB, 54 %, 8.1 MB/s, 2 s left".</summary>
    public string Line(HubProgress progress)
    {
        double seconds = time.GetElapsedTime(_start).TotalSeconds,
            rate = seconds > 0 ? Math.Max(0, progress.Done - first) / seconds : 0;
        string share =
            FormattableString.Invariant($"{Megabytes(progress.Done)} of {Megabytes(progress.Total)} MB")
            + FormattableString.Invariant($", {(progress.Total > 0 ? 100 * progress.Done / progress.Total : 100)} %");
        string speed = rate > 0 ? FormattableString.Invariant($", {rate / 1e6:0.0} MB/s") : "";
        string left =
            rate > 0 && progress.Done < progress.Total
                ? $", {Duration((progress.Total - progress.Done) / rate)} left"
                : "";
        return $"Fetching {progress.Model}  {share}{speed}{left}";
    }

    private static string Megabytes(long bytes) => FormattableString.Invariant($"{bytes / 1e6:0.0}");

    private static string Duration(double seconds) =>
        seconds < 100 ? FormattableString.Invariant($"{Math.Ceiling(seconds)} s")
        : seconds < 6000 ? FormattableString.Invariant($"{Math.Ceiling(seconds / 60)} min")
        : FormattableString.Invariant($"{Math.Min(seconds / 3600, 9999):0.0} h");
}
