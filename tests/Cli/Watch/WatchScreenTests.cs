using Deit.Cli.Watch;
using Deit.Train.Runs;
using Spectre.Console;

namespace Deit.Tests.Cli.Watch;

public static class WatchScreenTests
{
    [Theory]
    [InlineData(80, 2)]
    [InlineData(200, 1)]
    public static void The_screen_is_drawn_without_what_was_scrolled_away_being_deleted_and_fits(int width, int lines)
    {
        StringWriter drawn = new();
        IAnsiConsole console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.Yes,
                ColorSystem = ColorSystemSupport.NoColors,
                Out = new AnsiConsoleOutput(drawn),
            }
        );
        console.Profile.Width = width;
        LogRow[] rows =
        [
            .. Enumerable
                .Range(0, 120)
                .Select(epoch => new LogRow
                {
                    Epoch = epoch,
                    Step = epoch,
                    TrainLoss = 1.25,
                    ValLoss = 2.5,
                    ValTop1 = 0.555,
                    ValTop5 = 0.97,
                    Lr = 0.0016,
                    ImagesPerSecond = 1234,
                    DataWait = 0,
                    Seconds = 34,
                }),
        ];
        WatchScreen.Draw(console, rows, "120 of 300 epochs", ["Report   http://127.0.0.1:1/ until Ctrl-C"]);
        string text = drawn.ToString();
        Assert.StartsWith("\u001b[H\u001b[J", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b[3J", text, StringComparison.Ordinal);
        string[] shown = text["\u001b[H\u001b[J".Length..].Split('\n');
        Assert.All(shown, line => Assert.InRange(line.TrimEnd('\r').Length, 0, width - 1));
        int epoch = Array.FindIndex(shown, line => line.StartsWith("epoch 120  ", StringComparison.Ordinal));
        Assert.Equal(
            "epoch 120  train loss 1.2500  val loss 2.5000  top-1 55.5 %  top-5 97.0 %  1234 images/s  lr 1.60e-03",
            string.Join("  ", shown[epoch..(epoch + lines)])
        );
    }
}
