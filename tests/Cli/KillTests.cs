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
    private const int Kills = 30;
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
                process.Kill(DeitProcess.KillNow);
                await end;
                killed++;
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
                + $"{finished} runs ended with the bytes of an uninterrupted one"
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
