using System.Text.RegularExpressions;
using Deit.Tests.Train.Pages;
using Deit.Tests.Train.Training;
using Deit.Train.Options;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Tests.Cli.Commands;

public sealed partial class WatchCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_finished_run_is_printed_and_a_wrong_call_refused()
    {
        string run = _folder["run"];
        TrainOptions options = TinyRun.Options(TinyRun.WritePictures(_folder), run);
        Assert.Equal(0, TinyRun.Train(options));
        string[] before = Directory.GetFileSystemEntries(run, "*", SearchOption.AllDirectories);
        (int code, string output, string error) = await DeitProcess.Run("watch", run, "--once");
        Assert.Equal((0, ""), (code, error));
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.Matches(@"^epoch 1  train loss \d\.\d{4}  val loss \d\.\d{4}  top-1 \d+\.\d %", lines[0]);
        Assert.Equal("Run      2 of 2 epochs, complete", lines[2]);
        Assert.Equal(before, Directory.GetFileSystemEntries(run, "*", SearchOption.AllDirectories));

        (code, output, error) = await DeitProcess.Run("watch", _folder["nothing"]);
        Assert.Equal((3, ""), (code, output));
        Assert.Contains("is no run folder: it has no args.json", error, StringComparison.Ordinal);
        (code, output, error) = await DeitProcess.Run("watch", run, "--port", "70000");
        Assert.Equal((2, ""), (code, output));
        Assert.Contains("--port is 70000, expected from 0 to 65535.", error, StringComparison.Ordinal);
    }

    /// <summary>A training has its folder before it has prepared the device and written its first checkpoint.</summary>
    [Fact]
    public async Task A_training_that_is_starting_is_waited_for()
    {
        string run = _folder["run"],
            printed = _folder["printed"];
        RunFolder folder = RunFolder.Create(run);
        (int code, string output, string error) = await DeitProcess.Run("watch", run, "--once");
        Assert.Equal((0, ""), (code, error));
        Assert.Matches(@"^Run      process \d+ on .+ is starting it: nothing is trained yet\n$", output);

        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGINT for another process.");
        using DeitProcess process = DeitProcess.StartIn(_folder.Path, "exec \"$@\" >printed", ["watch", run]);
        await process.Until(() => File.Exists(printed) && File.ReadAllText(printed).Contains("starting it"));
        new TrainOptions().Save(run);
        await process.Until(() => File.ReadAllText(printed).Contains("0 of 300 epochs"));
        process.Kill(DeitProcess.Interrupt);
        Assert.Equal(130, (await process.End()).ExitCode);
        folder.Dispose();

        // One that ends before it has begun leaves no run.
        folder = RunFolder.Create(_folder["other"]);
        string said = _folder["said"];
        using DeitProcess other = DeitProcess.StartIn(
            _folder.Path,
            "exec \"$@\" >said 2>&1",
            ["watch", _folder["other"]]
        );
        await other.Until(() => File.Exists(said) && File.ReadAllText(said).Contains("starting it"));
        folder.Dispose();
        Assert.Equal(3, (await other.End()).ExitCode);
        Assert.Contains("is no run folder", File.ReadAllText(said));
    }

    /// <summary>Another process trains, is watched, and ends; the page stays until Ctrl-C.</summary>
    [Fact]
    public async Task A_run_is_watched_while_another_process_trains_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGINT for another process.");
        string run = _folder["run"],
            printed = _folder["printed"];
        TrainOptions options = TinyRun.Options(TinyRun.WritePictures(_folder), run);
        // Without a report the page is made of the log.
        options = options with
        {
            Run = options.Run with { Report = false },
        };
        using ManualResetEventSlim seen = new();
        Watcher watcher = new(
            async () =>
            {
                using DeitProcess process = DeitProcess.StartIn(_folder.Path, "exec \"$@\" >printed", ["watch", run]);
                await process.Until(() => File.Exists(printed) && Address().IsMatch(File.ReadAllText(printed)));
                string address = Address().Match(File.ReadAllText(printed)).Value;
                using HttpClient client = new();
                string during = await client.GetStringAsync(address);
                seen.Set();
                await process.Until(() =>
                    File.ReadAllText(printed).Contains("2 of 2 epochs, complete", StringComparison.Ordinal)
                );
                string after = await client.GetStringAsync(address);
                process.Kill(DeitProcess.Interrupt);
                (int code, _, string error) = await process.End();
                return (during, after, code, error);
            },
            seen
        );
        using StopSignal stop = new();
        using (TrainRun training = TrainRun.Open(options, resume: null, stop, watcher))
            Assert.Equal(0, training.Run(stop));
        (string during, string after, int code, string error) = await watcher.Result!;
        Assert.Contains("In training.", PageTests.Parse(during).Root!.Value, StringComparison.Ordinal);
        Assert.Contains("All 2 epochs are done.", PageTests.Parse(after).Root!.Value, StringComparison.Ordinal);
        Assert.Equal((130, ""), (code, error));
        string text = File.ReadAllText(printed);
        Assert.Contains("in training by process ", text, StringComparison.Ordinal);
        Assert.Contains("epoch 2  train loss ", text, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(run, RunReport.FileName)));
    }

    // Begins after the first epoch; the training waits until that was seen.
    private sealed class Watcher(Func<Task<(string, string, int, string)>> watch, ManualResetEventSlim seen)
        : ITrainingObserver
    {
        public Task<(string During, string After, int Code, string Error)>? Result { get; private set; }

        public void EpochEvaluated(EpochResult result)
        {
            if (result.Epoch != 0)
                return;
            Result = Task.Run(watch);
            while (!seen.Wait(TimeSpan.FromMilliseconds(50)) && !Result.IsCompleted) { }
        }
    }

    [GeneratedRegex("http://127\\.0\\.0\\.1:\\d+/")]
    private static partial Regex Address();
}
