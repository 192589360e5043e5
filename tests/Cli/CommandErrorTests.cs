using System.Collections;
using System.Diagnostics;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Model.Images;
using Deit.Tests.Train.Training;
using Deit.Train.Options;
using Deit.Train.Runs;

namespace Deit.Tests.Cli;

/// <summary>Mistakes of users: the command answers each with one sentence that has a remedy, and with an exit code that is not 0.</summary>
public sealed class CommandErrorTests : IDisposable
{
    private const int Usage = 2,
        Data = 3,
        Device = 4,
        Partial = 6,
        Output = 7;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Run => _folder["run"];

    [Fact]
    public Task Training_on_a_folder_that_does_not_exist() =>
        Fails(["train", "--data", _folder["nothing"], "--output", Run], "there is no such folder", Data);

    [Fact]
    public async Task Training_with_an_empty_class()
    {
        string data = TinyRun.WritePictures(_folder);
        Directory.CreateDirectory(Path.Combine(data, "train", "unicorns"));
        await Fails(["train", "--data", data, "--output", Run], "'unicorns' has no pictures", Data);
        Assert.False(Directory.Exists(Run));
    }

    [Fact]
    public async Task Training_with_one_class()
    {
        string data = _folder["one"];
        Directory.CreateDirectory(Path.Combine(data, "cat"));
        ImageEncoder.SavePng(TestImages.Smooth(20, 20), Path.Combine(data, "cat", "a.png"));
        ImageEncoder.SavePng(TestImages.Smooth(20, 20), Path.Combine(data, "cat", "b.png"));
        await Fails(["train", "--data", data, "--output", Run], "'cat' is its only class", Data);
    }

    [Fact]
    public async Task Training_with_no_picture_that_can_be_read()
    {
        string data = TinyRun.WritePictures(_folder);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(data, "train"), "*", SearchOption.AllDirectories))
            File.WriteAllText(file, "no picture");
        await Fails([.. Tiny(data), "--output", Run], "none of 24 can be read", Data);
    }

    [Fact]
    public async Task Distilling_from_a_teacher_of_other_classes()
    {
        TinyRun.WriteModel(_folder["teacher"], TinyRun.Teacher with { NumClasses = 5 });
        await Fails(
            [
                .. Tiny(TinyRun.WritePictures(_folder)),
                "--output",
                Run,
                "--distillation-type",
                "hard",
                "--teacher-path",
                _folder["teacher"],
            ],
            "knows 5 classes, the data has 8",
            Data
        );
        Assert.False(Directory.Exists(Run));
    }

    [Fact]
    public async Task Training_by_a_recipe_with_an_unknown_key()
    {
        File.WriteAllText(_folder["recipe.json"], """{ "weight_decai": 0.1 }""");
        await Fails(
            ["train", "--recipe", _folder["recipe.json"], "--data", _folder.Path, "--output", Run],
            "unknown key 'weight_decai'; did you mean 'weight_decay'",
            Data
        );
    }

    [Theory]
    [InlineData("--distillation-type hard", "add --teacher-path")]
    [InlineData("--model regnety_040 --distilled", "a RegNetY has none")]
    [InlineData("--teacher-path somewhere", "add --distillation-type")]
    public Task Distilling_with_a_flag_that_fits_no_model(string flags, string expected) =>
        Fails(["train", "--data", _folder.Path, "--output", Run, .. flags.Split(' ')], expected);

    [Fact]
    public async Task Everything_missing_is_named_at_once()
    {
        await Fails(["train"], "No data was given; add --data DIR");
        await Fails(
            ["train", "--recipe", "finetune384", "--distillation-type", "hard"],
            "needs --data DIR with the pictures, --finetune WEIGHTS for --recipe finetune384 and --teacher-path WEIGHTS"
        );
        await Fails(
            ["train", "--recipe", "plane", "--data", _folder.Path],
            "'plane', did you mean 'plain'; give one of"
        );
        await Fails(
            ["train", "--model", "deit_tiny_patch16_244", "--data", TinyRun.WritePictures(_folder), "--output", Run],
            "'deit_tiny_patch16_244', did you mean 'deit_tiny_patch16_224'; take that, or"
        );
    }

    [Theory]
    [InlineData("--batch-size", "25", "lower --batch-size")] // of 24 pictures
    [InlineData("--batch-size", "2147483647", "lower --batch-size")]
    [InlineData("--num-heads", "5", "num_heads")]
    [InlineData("--drop-path", "1", "--drop-path")]
    [InlineData("--lr", "NaN", "--lr")]
    [InlineData("--weight-decay", "Infinity", "--weight-decay")]
    public async Task Training_with_an_option_out_of_range(string flag, string value, string expected) =>
        await Fails([.. Tiny(TinyRun.WritePictures(_folder)).Replace(flag, value), "--output", Run], expected);

    // 24 pictures of 8192 x 8192 in F32: 19 GB for the input alone, several times.
    [Fact]
    public async Task Training_that_needs_more_memory_than_there_is_ends_before_it_takes_it()
    {
        string[] arguments =
        [
            .. Tiny(TinyRun.WritePictures(_folder))
                .Replace("--input-size", "8192")
                .Replace("--patch-size", "1024")
                .Replace("--batch-size", "10"),
            "--output",
            Run,
        ];
        long start = Stopwatch.GetTimestamp();
        await Fails(arguments, "--batch-size", Device);
        Assert.True(
            Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60),
            "it took so long that it must have tried"
        );
        Assert.False(Directory.Exists(Run));
    }

    [Fact]
    public async Task Resuming_what_is_no_run()
    {
        await Fails(["train", "--resume", _folder["nothing"]], "no run folder", Data);
        // One of the model folders of a run is not the run.
        File.WriteAllText(_folder["args.json"], "{}");
        Directory.CreateDirectory(_folder["last"]);
        foreach (string last in new[] { _folder["last"], _folder["last"] + Path.DirectorySeparatorChar })
            await Fails(["train", "--resume", last], $"give '{_folder.Path}', the run that it is of.", Data);
        string run = _folder["options-only"];
        Directory.CreateDirectory(run);
        TinyRun.Options(TinyRun.WritePictures(_folder), run).Save(run);
        await Fails(["train", "--resume", run], "no checkpoint to resume", Data);
        File.WriteAllText(Path.Combine(run, TrainOptions.FileName), "{\"epochs\": ");
        await Fails(["train", "--resume", run], "cannot be read as training options", Data);
    }

    [Fact]
    public async Task Training_into_a_folder_that_holds_a_run_spares_it()
    {
        string data = TinyRun.WritePictures(_folder);
        Directory.CreateDirectory(Run);
        TinyRun.Options(data, Run).Save(Run);
        byte[] before = File.ReadAllBytes(Path.Combine(Run, TrainOptions.FileName));
        await Fails([.. Tiny(data), "--output", Run], "holds a run already", Output);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(Run, TrainOptions.FileName)));
    }

    [Fact]
    public async Task Predicting_with_what_is_no_model_folder()
    {
        await Fails(["predict", "--model", _folder["nothing"], "a.jpg"], "does not exist", Data);
        await Fails(["predict", "--model", _folder.Path, "a.jpg"], "no model folder", Data);
        await Fails(["eval", "--model", _folder["nothing"], "--data", _folder.Path], "does not exist", Data);
    }

    [Fact]
    public async Task Predicting_on_a_device_that_does_not_exist()
    {
        TinyRun.WriteModel(_folder["model"], TinyRun.Config);
        await Fails(
            ["predict", "--model", _folder["model"], "--device", "nosuch", "a.jpg"],
            "'nosuch' was not found",
            Device
        );
    }

    [Fact]
    public async Task Predicting_without_any_device()
    {
        TinyRun.WriteModel(_folder["model"], TinyRun.Config);
        string none = _folder["none.json"];
        foreach (
            string[] arguments in (string[][])
                [
                    ["predict", "--model", _folder["model"], "a.jpg"],
                    ["devices"],
                ]
        )
        {
            using DeitProcess process = DeitProcess.Start(
                arguments,
                ("VK_DRIVER_FILES", none),
                ("VK_ICD_FILENAMES", none)
            );
            AssertFailed(await process.End(), "which does not exist; correct or unset it", Device);
        }
    }

    [Fact]
    public async Task Predicting_pictures_of_which_some_cannot_be_read_answers_the_others()
    {
        TinyRun.WriteModel(_folder["model"], TinyRun.Config);
        byte[] jpeg = EncodedImages.Skia(TestImages.Smooth(100, 80), SkiaSharp.SKEncodedImageFormat.Jpeg);
        File.WriteAllBytes(_folder["good.jpg"], jpeg);
        File.WriteAllBytes(_folder["truncated.jpg"], jpeg[..(jpeg.Length / 2)]);
        File.WriteAllText(_folder["text.jpg"], "no picture");
        File.WriteAllBytes(_folder["empty.jpg"], []);
        foreach (
            (string file, string expected) in ((string, string)[])
                [
                    ("missing.jpg", "missing.jpg"),
                    ("truncated.jpg", "cut short"),
                    ("text.jpg", "it is text that begins"),
                    ("empty.jpg", "is empty"),
                ]
        )
        {
            (int exitCode, string output, string error) = await DeitProcess.Run(
                "predict",
                "--model",
                _folder["model"],
                _folder[file],
                _folder["good.jpg"]
            );
            AssertFailed((exitCode, output, error), expected, Partial);
            Assert.Contains("good.jpg", output);
            Assert.DoesNotContain(file, output);
        }
    }

    [Theory]
    [InlineData(8125, 8001, true)] // 65 megapixels
    [InlineData(30000, 20000, false)] // 600
    public async Task Predicting_a_huge_picture_works_or_is_refused(int width, int height, bool works)
    {
        TinyRun.WriteModel(_folder["model"], TinyRun.Config);
        string path = _folder["huge.png"];
        File.WriteAllBytes(
            path,
            EncodedImages.Png(width, height, bits: 1, colourType: 0, new byte[(width + 7) / 8 * height])
        );
        (int exitCode, string output, string error) = await DeitProcess.Run(
            "predict",
            "--model",
            _folder["model"],
            path
        );
        if (works)
            Assert.True(exitCode == 0, error);
        else
            AssertFailed((exitCode, output, error), "pixels", Data);
    }

    [Theory]
    [InlineData(DeitProcess.Interrupt, 130)]
    [InlineData(DeitProcess.Terminate, 143)]
    public async Task A_signal_saves_and_ends_with_its_code(int signal, int exitCode)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill.");
        string data = TinyRun.WritePictures(_folder);
        using DeitProcess process = DeitProcess.Start([.. Tiny(data).Replace("--epochs", "100000"), "--output", Run]);
        await process.Until(() => Directory.Exists(Path.Combine(Run, "last")));
        process.Kill(signal);
        (int ended, string output, string error) = await process.End();
        Assert.True(ended == exitCode, $"ended with {ended}: {error}");
        Assert.Contains($"deit train --resume {Run}", output + error);
        Assert.True(new RunCheckpoint(Run).ReadState().Step > 0);
        using DeitModel model = DeitModel.Load(Path.Combine(Run, "last"), Gpu.TestDevice.Any);
    }

    // Room for some checkpoints, until something else fills the disk.
    [Fact]
    public async Task A_full_disk_ends_the_run_and_spares_its_checkpoints()
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess,
            "A disk of a chosen size can be mounted by root on Linux only."
        );
        string disk = _folder["disk"],
            run = Path.Combine(disk, "run"),
            data = TinyRun.WritePictures(_folder);
        Directory.CreateDirectory(disk);
        Assert.SkipUnless(
            await Shell("mount", "-t", "tmpfs", "-o", "size=4m", "none", disk) == 0,
            "This machine does not allow mounts."
        );
        try
        {
            using DeitProcess process = DeitProcess.Start([.. Tiny(data).Replace("--epochs", "500"), "--output", run]);
            await process.Until(() => Directory.Exists(Path.Combine(run, "best_ema")));
            Assert.NotEqual(0, await Shell("dd", "if=/dev/zero", $"of={Path.Combine(disk, "filler")}", "bs=64k"));
            AssertFailed(await process.End(), "full", Output);
            File.Delete(Path.Combine(disk, "filler"));
            _ = new RunCheckpoint(run).ReadState();
            foreach (string folder in (string[])["last", "best", "best_ema"])
                DeitModel.Load(Path.Combine(run, folder), Gpu.TestDevice.Any).Dispose();
            Assert.Empty(Directory.EnumerateFileSystemEntries(run, "*.tmp-*"));
        }
        finally
        {
            Assert.Equal(0, await Shell("umount", disk));
        }
    }

    private static Arguments Tiny(string data) =>
        new()
        {
            ["--data"] = data,
            ["--embed-dim"] = "32",
            ["--depth"] = "2",
            ["--num-heads"] = "2",
            ["--patch-size"] = "8",
            ["--input-size"] = "32",
            ["--batch-size"] = "8",
            ["--epochs"] = "2",
            ["--warmup-epochs"] = "0",
        };

    private static async Task Fails(string[] arguments, string expected, int code = Usage) =>
        AssertFailed(await DeitProcess.Run(arguments), expected, code);

    private static void AssertFailed((int ExitCode, string Output, string Error) end, string expected, int code)
    {
        Assert.True(end.ExitCode == code, $"exit code {end.ExitCode}\n{end.Output}\n{end.Error}");
        string[] lines = end.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string line = Assert.Single(lines, line => !line.StartsWith("Running on ", StringComparison.Ordinal));
        Assert.StartsWith("deit: ", line);
        Assert.Contains(expected, line);
        Assert.DoesNotContain("   at ", end.Output);
    }

    private static async Task<int> Shell(string program, params string[] arguments)
    {
        using Process process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardError = true }
        )!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    /// <summary>The arguments of <c>deit train</c>, of which a case replaces one.</summary>
    private sealed class Arguments : IEnumerable<string>
    {
        private readonly Dictionary<string, string> _values = [];

        public string this[string flag]
        {
            set => _values[flag] = value;
        }

        public Arguments Replace(string flag, string value)
        {
            _values[flag] = value;
            return this;
        }

        public IEnumerator<string> GetEnumerator() =>
            (
                (IEnumerable<string>)["train", .. _values.SelectMany(pair => (string[])[pair.Key, pair.Value])]
            ).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
