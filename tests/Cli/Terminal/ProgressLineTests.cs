using Deit.Cli.Terminal;
using Deit.Train.Training;

namespace Deit.Tests.Cli.Terminal;

public sealed class ProgressLineTests : IDisposable
{
    private static readonly Progress Sample = new(
        2,
        30,
        120,
        1251,
        2622,
        6.91234,
        2.008e-4,
        1203.4,
        0.024,
        new TimeSpan(3, 12, 5)
    );
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly ManualTime _time = new();

    public void Dispose() => _output.Dispose();

    [Fact]
    public void A_report_reads_as_people_count() =>
        Assert.Equal(
            "epoch 3/30  step 120/1251  loss 6.9123  3h 12m left  1203 images/s  data wait 2 %  lr 2.01e-04",
            Sample.ToString()
        );

    [Theory]
    [InlineData(45.9, "45s")]
    [InlineData(60, "1m 00s")]
    [InlineData(3599, "59m 59s")]
    [InlineData(3600, "1h 00m")]
    [InlineData(86399, "23h 59m")]
    [InlineData(93784, "1d 02h")]
    public void The_time_left_shows_its_two_largest_units(double seconds, string expected) =>
        Assert.Contains($"  {expected} left  ", (Sample with { Left = TimeSpan.FromSeconds(seconds) }).ToString());

    [Fact]
    public void A_time_left_that_is_not_known_is_said_so() =>
        Assert.Contains("  time left not known yet  ", (Sample with { Left = null }).ToString());

    /// <summary>A file need not have each sign of life of slow steps; the first is there at once.</summary>
    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 7)]
    public void Signs_of_life_are_rare_in_files(bool terminal, int shown)
    {
        ProgressLine line = new(_output, terminal ? () => 80 : null, TimeSpan.FromSeconds(10), _time);
        for (int second = 0; second <= 30; second += 5)
        {
            _time.Now = TimeSpan.FromSeconds(second);
            line.Report($"{second} s", TimeSpan.FromSeconds(30));
        }
        Assert.Equal(shown, _output.ToString().Split(" s").Length - 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_full_disk_or_a_terminal_that_is_gone_never_ends_a_training(bool terminal)
    {
        using BrokenWriter broken = new();
        using (ProgressLine line = new(broken, terminal ? () => 80 : null, TimeSpan.Zero, _time))
        {
            line.Report(Sample);
            line.WriteLine("epoch 1");
            broken.Fault = null;
            line.WriteLine("epoch 2");
            broken.Fault = new OutputException(new IOException("Input/output error"));
            line.Report(Sample);
        }
        Assert.DoesNotContain("epoch 1\n", broken.Written, StringComparison.Ordinal);
        Assert.Contains("epoch 2", broken.Written, StringComparison.Ordinal);
    }

    [Fact]
    public void A_terminal_that_does_not_tell_its_width_is_no_error()
    {
        using (ProgressLine line = new(_output, () => throw new IOException("no terminal"), TimeSpan.Zero, _time))
            line.Report(Sample);
        Assert.Contains("step 120/1251", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_in_a_line_is_shown_and_not_obeyed()
    {
        using (ProgressLine line = new(_output, null, TimeSpan.Zero, _time))
            line.WriteLine("'a\n\u001b[2J.png' cannot be read");
        Assert.Equal("'a\\x0a\\x1b[2J.png' cannot be read\n", _output.ToString());
    }

    [Fact]
    public void Redirected_output_gets_a_plain_line_each_interval_and_the_last_report_at_the_end()
    {
        using (ProgressLine line = new(_output, null, TimeSpan.FromSeconds(10), _time))
        {
            for (int second = 0; second < 26; second++)
            {
                line.Report(Sample with { Step = second });
                _time.Now += TimeSpan.FromSeconds(1);
            }
        }
        string[] lines = _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            ["step 0/1251", "step 10/1251", "step 20/1251", "step 25/1251"],
            lines.Select(text => text.Split("  ")[1])
        );
        Assert.DoesNotContain('\r', _output.ToString());
    }

    [Fact]
    public void A_terminal_line_renews_itself_ten_times_a_second_and_covers_what_was_there()
    {
        using (ProgressLine line = new(_output, () => 200, TimeSpan.FromSeconds(10), _time))
        {
            line.Report(Sample);
            _time.Now += TimeSpan.FromMilliseconds(99);
            line.Report(Sample with { Loss = 1 });
            _time.Now += TimeSpan.FromMilliseconds(1);
            line.Report(Sample with { Step = 1, ImagesPerSecond = 7 });
        }
        string shorter = (Sample with { Step = 1, ImagesPerSecond = 7 }).ToString();
        Assert.Equal($"\r{Sample}\r{shorter.PadRight(Sample.ToString().Length)}\n", _output.ToString());
    }

    [Fact]
    public void A_narrow_terminal_cuts_the_end_and_keeps_its_last_column_free()
    {
        using (ProgressLine line = new(_output, () => 20, TimeSpan.Zero, _time))
            line.Report(Sample);
        Assert.Equal($"\r{Sample.ToString()[..19]}\n", _output.ToString());
    }

    [Fact]
    public void A_terminal_without_a_known_width_gets_eighty_columns()
    {
        using (ProgressLine line = new(_output, () => 0, TimeSpan.Zero, _time))
            line.Report(Sample);
        Assert.Equal($"\r{Sample.ToString()[..79]}\n", _output.ToString());
    }

    [Fact]
    public void A_line_that_stays_clears_the_live_one_first()
    {
        using (ProgressLine line = new(_output, () => 20, TimeSpan.Zero, _time))
        {
            line.Report(Sample);
            line.WriteLine("epoch 3: 71.2 %");
            line.Report(Sample);
        }
        string cut = Sample.ToString()[..19];
        Assert.Equal($"\r{cut}\r{new string(' ', 19)}\repoch 3: 71.2 %\n\r{cut}\n", _output.ToString());
    }
}
