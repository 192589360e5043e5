using System.Diagnostics;
using Deit.Cli.Terminal;
using Deit.Model;
using Deit.Model.Hub;
using Deit.Model.Serving;
using Microsoft.Extensions.Logging.Abstractions;

namespace Deit.Tests.Cli.Terminal;

/// <summary>What downloads tell of themselves.</summary>
public sealed class HubTerminalTests
{
    [Theory]
    [InlineData(0, 0, "Fetching o/r  0.0 of 100.0 MB, 0 %")]
    [InlineData(4, 20_000_000, "Fetching o/r  20.0 of 100.0 MB, 20 %, 5.0 MB/s, 16 s left")]
    [InlineData(200, 40_000_000, "Fetching o/r  40.0 of 100.0 MB, 40 %, 0.2 MB/s, 5 min left")]
    [InlineData(20_000, 2_000_000, "Fetching o/r  2.0 of 100.0 MB, 2 %, 0.0 MB/s, 272.2 h left")]
    [InlineData(10, 100_000_000, "Fetching o/r  100.0 of 100.0 MB, 100 %, 10.0 MB/s")]
    public void A_line_has_size_rate_and_what_is_left(int seconds, long done, string line)
    {
        SetTime time = new();
        HubRate rate = new(time, first: 0);
        time.Seconds = seconds;
        Assert.Equal(line, rate.Line(new HubProgress("o/r", "f", done, 100_000_000)));
    }

    [Fact]
    public void What_an_earlier_call_fetched_does_not_count_for_the_rate()
    {
        SetTime time = new();
        HubRate rate = new(time, first: 50_000_000);
        time.Seconds = 10;
        Assert.Equal(
            "Fetching o/r  60.0 of 100.0 MB, 60 %, 1.0 MB/s, 40 s left",
            rate.Line(new HubProgress("o/r", "f", 60_000_000, 100_000_000))
        );
    }

    [Fact]
    public void A_download_is_one_line_of_its_own_where_there_is_no_terminal()
    {
        StringWriter output = new();
        SetTime time = new();
        HubTerminal terminal = new(time, () => new ProgressLine(output, null, TimeSpan.FromHours(1), time));
        for (int done = 0; done <= 10; done++)
            terminal.Report(new HubProgress("o/r", "f", done, 10));
        terminal.Report(new HubProgress("o/r", "f", 10, 10)); // the hash was found right
        string[] lines = output.ToString().TrimEnd().Split(Environment.NewLine);
        Assert.Equal(2, lines.Length); // its beginning and its end
        Assert.Contains("100 %", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_download_that_begins_anew_has_a_line_again()
    {
        StringWriter output = new();
        SetTime time = new();
        HubTerminal terminal = new(time, () => new ProgressLine(output, null, TimeSpan.FromHours(1), time));
        foreach (long done in (long[])[0, 10, 0, 10, 10])
            terminal.Report(new HubProgress("o/r", "f", done, 10));
        Assert.Equal(
            ["0 %", "100 %", "0 %", "100 %"],
            output.ToString().TrimEnd().Split(Environment.NewLine).Select(line => line.Split(", ")[1])
        );
    }

    [Fact]
    public void What_is_printed_in_the_middle_of_a_download_begins_a_line()
    {
        StringWriter output = new();
        SetTime time = new();
        HubTerminal terminal = new(time, () => new ProgressLine(output, () => 80, TimeSpan.FromHours(1), time));
        terminal.Report(new HubProgress("o/r", "f", 4, 10));
        Assert.False(output.ToString().EndsWith(Environment.NewLine, StringComparison.Ordinal));
        terminal.EndLine();
        Assert.EndsWith($"40 %{Environment.NewLine}", output.ToString(), StringComparison.Ordinal);
        terminal.EndLine();
        Assert.Single(output.ToString().Split(Environment.NewLine)[1..]);
    }

    // A server may make a download begin anew, and what follows it takes the rest.
    [Fact]
    public void The_progress_of_loading_never_falls_and_ends_at_1()
    {
        List<LoadProgress> told = [];
        LoadDownload download = new(NullLogger.Instance, new Told(told));
        foreach (long done in (long[])[0, 50, 100, 0, 30, 100])
            download.Report(new HubProgress("o/r", "f", done, 100));
        told.AddRange(Enum.GetValues<LoadStage>().Skip(1).Select(download.Progress));
        Assert.Equal(told.Select(progress => progress.Fraction).Order(), told.Select(progress => progress.Fraction));
        Assert.Equal(LoadStage.Download, told[0].Stage);
        Assert.Equal((LoadStage.Ready, 1.0), (told[^1].Stage, told[^1].Fraction));
    }

    private sealed class Told(List<LoadProgress> told) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => told.Add(value);
    }

    private sealed class SetTime : TimeProvider
    {
        public int Seconds { get; set; }

        public override long GetTimestamp() => Seconds * Stopwatch.Frequency;
    }
}
