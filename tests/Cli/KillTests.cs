using System.Diagnostics;
using Deit.Cli.Demo;
using Deit.Model;
using Deit.Tests.Train.Training;
using Deit.Train.Options;
using Deit.Train.Runs;

namespace Deit.Tests.Cli;

/// <summary>The files that a killed process leaves behind.</summary>
public sealed class KillTests : IDisposable
{
    // The long test is for a release: DEIT_LONG=1.
    private static readonly bool Long = Environment.GetEnvironmentVariable("DEIT_LONG") == "1";
    private static readonly int Kills = Long ? 200 : 30;
    private readonly SortedDictionary<string, int> _phases = [];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // A run may be killed at any moment: of starting, of a step, of saving. It can then be loaded and resumed, and ends
    // with the bytes of a run that was not killed. A run that ends before all kills are spent is followed by another.
    [Fact]
    public async Task A_run_survives_kills_at_random_times()
    {
        string data = _folder["data"],
            teacher = _folder["teacher"],
            whole = _folder["whole"];
        new DemoDataset
        {
            TrainImagesPerClass = 12,
            ValImagesPerClass = 2,
            Size = 40,
        }.Write(data, TestContext.Current.CancellationToken);
        TinyRun.WriteModel(teacher, TinyRun.Teacher, DemoDataset.Classes);
        TrainOptions options = TinyRun.Complete(data, whole, teacher);
        options = options with
        {
            Schedule = options.Schedule with { Epochs = 10 },
            Run = options.Run with { SaveSteps = 3 },
        };
        string recipe = _folder["recipe.json"];
        Recipe.Save(options, recipe);
        // The time of a run depends on the machine and its load: the kills are spread over that time.
        long start = Stopwatch.GetTimestamp();
        (int code, _, string failure) = await DeitProcess.Run(Arguments(whole));
        Assert.True(code == 0, failure);
        TimeSpan duration = Stopwatch.GetElapsedTime(start);

        Random random = new(20260101);
        int killed = 0,
            finished = 0,
            resumable = 0;
        for (int run = 0; killed < Kills; run++)
        {
            string folder = _folder[$"run{run}"];
            while (killed < Kills)
            {
                bool begun = File.Exists(Path.Combine(folder, TrainOptions.FileName));
                using DeitProcess process = DeitProcess.Start(
                    begun ? ["train", "--resume", folder] : Arguments(folder)
                );
                Task<(int ExitCode, string Output, string Error)> end = process.End();
                if (
                    await Task.WhenAny(
                        end,
                        Task.Delay(duration * random.NextDouble(), TestContext.Current.CancellationToken)
                    ) == end
                )
                {
                    (int exitCode, _, string error) = await end;
                    Assert.True(exitCode == 0, error);
                    AssertSame(whole, folder);
                    finished++;
                    break;
                }
                // Every third time another process is about to resume the run, and may be refused, or come when it is free.
                using DeitProcess? other =
                    begun && killed % 3 == 0 ? DeitProcess.Start(["train", "--resume", folder]) : null;
                if (other is not null)
                    await Task.WhenAny(
                        end,
                        Task.Delay(duration * 0.3 * random.NextDouble(), TestContext.Current.CancellationToken)
                    );
                string phase = Phase(folder, other is not null);
                if (!end.IsCompleted)
                {
                    process.Kill(DeitProcess.KillNow);
                    killed++;
                    _phases[phase] = _phases.GetValueOrDefault(phase) + 1;
                }
                await end;
                if (other is not null)
                    killed += await EndOther(other, duration * random.NextDouble());
                if (!File.Exists(Path.Combine(folder, TrainOptions.FileName)))
                    continue; // killed before the run was there: it is started anew
                RunCheckpoint checkpoint = new(folder);
                Assert.InRange(checkpoint.ReadState().Step, 0, 10 * 16);
                using DeitModel model = DeitModel.Load(checkpoint.Last, Gpu.TestDevice.Any);
                resumable++;
            }
            if (Directory.Exists(folder) && File.Exists(Path.Combine(folder, TrainOptions.FileName)) && killed == Kills)
            {
                Assert.Equal(0, TinyRun.Resume(folder));
                AssertSame(whole, folder);
                finished++;
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{killed} kills, {resumable} left a checkpoint, all of them loadable; "
                + $"{finished} runs ended with the bytes of an uninterrupted one; "
                + string.Join(", ", _phases.Select(phase => $"{phase.Value} {phase.Key}"))
        );
        string[] Arguments(string output) =>
            [
                "train",
                "--recipe",
                recipe,
                "--data",
                data,
                "--output",
                output,
                "--teacher-path",
                teacher,
                "--seed",
                "7",
                "--num-workers",
                "2",
                "--print-freq",
                "3",
                "--save-steps",
                "3",
            ];

        Assert.True(
            resumable > Kills / 2 && finished > 0,
            $"{resumable} checkpoints, {finished} runs to the end: the kills came too early to mean anything"
        );
    }

    // The other one is refused in one sentence while the first lives, and else trains until it is killed or done.
    private async Task<int> EndOther(DeitProcess other, TimeSpan time)
    {
        Task<(int ExitCode, string Output, string Error)> end = other.End();
        if (await Task.WhenAny(end, Task.Delay(time, TestContext.Current.CancellationToken)) != end)
        {
            other.Kill(DeitProcess.KillNow);
            await end;
            _phases["of one that took over"] = _phases.GetValueOrDefault("of one that took over") + 1;
            return 1;
        }
        (int code, _, string error) = await end;
        Assert.True(code == 0 || (code == 7 && error.Contains("in use by process")), $"{code}: {error}");
        return 0;
    }

    private static string Phase(string folder, bool other)
    {
        string phase =
            !File.Exists(Path.Combine(folder, TrainOptions.FileName)) ? "while starting"
            : Directory.EnumerateFileSystemEntries(folder, "*.tmp-*").Any() ? "while saving"
            : "between saves";
        return other ? $"{phase} and another resumes" : phase;
    }

    private static void AssertSame(string expected, string actual)
    {
        foreach (
            string file in (string[])
                [
                    "last/model.safetensors",
                    "last/model_ema.safetensors",
                    "last/optimizer.safetensors",
                    "best/model.safetensors",
                    "best_ema/model.safetensors",
                ]
        )
            Assert.True(
                File.ReadAllBytes(Path.Combine(expected, file))
                    .AsSpan()
                    .SequenceEqual(File.ReadAllBytes(Path.Combine(actual, file))),
                $"{file} of {actual} differs"
            );
    }
}
