using Deit.Model;
using Deit.Model.Images;

namespace Deit.Tests.Samples;

/// <summary>The desktop sample in a real window.</summary>
[Trait("Category", "Samples")]
public sealed class DesktopSampleTests : IDisposable
{
    // Of samples/desktop/style.css.
    private static readonly (byte, byte, byte) BarColor = (0x3b, 0x6e, 0xf5);
    private static readonly (byte, byte, byte) TrainColor = (0x1f, 0x9d, 0x55);
    private static readonly (byte, byte, byte) DoneColor = (0xd9, 0xf2, 0xe3);
    private const int BarWidth = 300;
    private readonly TemporaryFolder _folder = new();

    public DesktopSampleTests() => ColorModel.Write(_folder["model"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_picture_is_shown_with_bars_as_long_as_its_classes_are_probable()
    {
        string picture = ColorModel.WritePicture(_folder, "red");
        using DeitModel model = DeitModel.Load(_folder["model"], new DeitModelOptions { CpuFallback = true });
        IReadOnlyList<ClassScore> scores = model.Classify(picture).Scores;

        using VirtualDisplay display = await VirtualDisplay.Start();
        using Command window = Start(display.Name, _folder["model"], picture);
        RgbImage shown = display.Screenshot();
        await window.Until(() => Runs(shown = display.Screenshot(), BarColor).Count >= scores.Count);
        // Drawn once more after the picture has been; the bars' ends are round and blended.
        List<int> bars = Runs(shown, BarColor);
        for (int i = 0; i < scores.Count; i++)
            Assert.InRange(bars[i], (BarWidth * scores[i].Probability) - 6, (BarWidth * scores[i].Probability) + 6);
        // The picture on the left is red, under the attention too: nowhere is more green or blue than red.
        Assert.InRange(Share(shown, (red, green, blue) => red > 90 && red > green + 20 && red > blue + 20), 0.1, 1);
    }

    [Fact]
    public async Task Without_a_picture_there_are_no_bars_and_what_is_wrong_is_written_in_red()
    {
        string broken = _folder["broken.png"];
        await File.WriteAllTextAsync(broken, "no picture", TestContext.Current.CancellationToken);
        foreach (
            string[] arguments in (string[][])
                [
                    [_folder["model"], broken],
                    [_folder["nothing"]],
                ]
        )
        {
            using VirtualDisplay display = await VirtualDisplay.Start();
            using Command window = Start(display.Name, arguments);
            RgbImage shown = display.Screenshot();
            // The strokes of the letters are thinner than a pixel, so that red is blended with the ground. Nothing else in an empty
            // window is red.
            await window.Until(() =>
                Share(shown = display.Screenshot(), (red, green, blue) => red > green + 50 && red > blue + 50) > 0.0005
            );
            Assert.Empty(Runs(shown, BarColor));
        }
    }

    // The user collects pictures of two classes, trains, and has a model that tells them apart.
    [Fact]
    public async Task A_model_is_taught_two_classes_by_a_click()
    {
        string data = ColorData.Write(_folder["data"], ofClass: 30);
        using VirtualDisplay display = await VirtualDisplay.Start();
        using Command window = Start(
            display.Name,
            _folder["model"],
            "--teach",
            Path.Combine(data, "train", "blue"),
            Path.Combine(data, "train", "red"),
            _folder["runs"]
        );
        // Both columns show pictures: their noise is there beside the ground.
        await window.Until(() => Reddish(display) > 0.02 && Bluish(display) > 0.02);
        await window.Until(() => display.Click(TrainColor));
        await window.Until(() => Share(display.Screenshot(), DoneColor) > 0.005, () => "The training has not ended.");
        Assert.NotEmpty(Runs(display.Screenshot(), BarColor)); // how far it came

        using DeitModel model = DeitModel.Load(
            _folder[Path.Combine("runs", "1", "best")],
            new DeitModelOptions { CpuFallback = true }
        );
        Assert.Equal(["blue", "red"], model.Labels);
        foreach (string color in model.Labels)
        {
            string[] pictures = Directory.GetFiles(Path.Combine(data, "val", color));
            Assert.All(pictures, picture => Assert.Equal(color, model.Classify(picture).Top.Label));
        }
    }

    [Fact]
    public async Task A_training_is_stopped_by_a_click_and_too_few_pictures_are_refused()
    {
        string data = ColorData.Write(_folder["data"], ofClass: 200);
        using VirtualDisplay display = await VirtualDisplay.Start();
        using (Command window = Start(display.Name, Teach("blue", "red")))
        {
            await window.Until(() => Reddish(display) > 0.02 && Bluish(display) > 0.02);
            await window.Until(() => display.Click(TrainColor));
            await window.Until(() => File.Exists(_folder[Path.Combine("runs", "1", "best", "config.json")]));
            await window.Until(() => display.Click(TrainColor));
            await window.Until(() => !File.Exists(_folder[Path.Combine("runs", "1", "run.lock")]));
            Assert.True(Deit.Train.TrainingRun.Exists(_folder[Path.Combine("runs", "1")]));
            Assert.Equal(0, Share(display.Screenshot(), DoneColor));
        }

        Directory.CreateDirectory(_folder["none"]);
        using VirtualDisplay other = await VirtualDisplay.Start();
        using Command refused = Start(
            other.Name,
            _folder["model"],
            "--teach",
            _folder["none"],
            _folder["none"],
            _folder["runs"]
        );
        await refused.Until(() =>
            other.Click(TrainColor)
            && Share(other.Screenshot(), (red, green, blue) => red > green + 50 && red > blue + 50) > 0.0005
        );
        Assert.False(Directory.Exists(_folder[Path.Combine("runs", "2")]));

        string[] Teach(string first, string second) =>
            [
                _folder["model"],
                "--teach",
                Path.Combine(data, "train", first),
                Path.Combine(data, "train", second),
                _folder["runs"],
            ];
    }

    [Fact]
    public async Task Without_a_display_it_says_so()
    {
        using Command window = Start(display: "", _folder["model"]);
        CommandResult result = await window.End();
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("display", result.Error);
    }

    private static Command Start(string display, params string[] arguments) =>
        Command.Start(
            "dotnet",
            [Repository.Built("desktop", "deit-desktop.dll"), .. arguments],
            folder: null,
            ("DISPLAY", display),
            ("WAYLAND_DISPLAY", ""),
            ("GDK_BACKEND", "x11"),
            ("NO_AT_BRIDGE", "1")
        );

    /// <summary>The widest line of a colour in each group of rows that have it, from the top.</summary>
    private static List<int> Runs(RgbImage image, (byte, byte, byte) color)
    {
        List<int> runs = [];
        int widest = 0;
        for (int y = 0; y < image.Height; y++)
        {
            int count = 0;
            for (int x = 0; x < image.Width; x++)
                count += At(image, x, y) == color ? 1 : 0;
            if (count == 0 && widest > 0)
                runs.Add(widest);
            widest = count == 0 ? 0 : Math.Max(widest, count);
        }
        return runs;
    }

    private static double Share(RgbImage image, Func<byte, byte, byte, bool> wanted)
    {
        int found = 0;
        for (int y = 0; y < image.Height; y++)
        for (int x = 0; x < image.Width; x++)
        {
            (byte red, byte green, byte blue) = At(image, x, y);
            found += wanted(red, green, blue) ? 1 : 0;
        }
        return (double)found / (image.Width * image.Height);
    }

    private static double Reddish(VirtualDisplay display) =>
        Share(display.Screenshot(), (red, green, blue) => red > green + 70 && red > blue + 70);

    private static double Bluish(VirtualDisplay display) =>
        Share(display.Screenshot(), (red, green, blue) => blue > green + 70 && blue > red + 70);

    private static double Share(RgbImage image, (byte, byte, byte) color) =>
        Share(image, (red, green, blue) => (red, green, blue) == color);

    private static (byte Red, byte Green, byte Blue) At(RgbImage image, int x, int y)
    {
        int i = ((y * image.Width) + x) * 3;
        return (image.Pixels[i], image.Pixels[i + 1], image.Pixels[i + 2]);
    }
}
