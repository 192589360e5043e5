using System.Globalization;
using Deit.Tests.Train.Training;
using Deit.Train.Runs;

namespace Deit.Tests.Cli;

/// <summary>What a training says to somebody who has read nothing.</summary>
public sealed class TrainingConsoleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TrainingConsoleTests() => TinyRun.WritePictures(_folder);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_first_step_is_said_and_the_end_names_accuracy_and_what_is_next()
    {
        string output = await Train("my run", "--batch-size", "8");
        Assert.Contains("epoch 1/2  step 1/3  loss ", output);
        Assert.DoesNotContain("Host time", output);
        LogRow[] rows = [.. RunLog.Watch(_folder["my run"])];
        LogRow best = rows.MaxBy(row => row.ValTop1)!,
            average = rows.MaxBy(row => row["ema_top1"])!;
        Assert.Contains($"Done     best model in my run/best: {Reached(best.ValTop1, best)}\n", output);
        bool better = average["ema_top1"] > best.ValTop1;
        Assert.Equal(
            better,
            output.Contains($"Average  better still, in my run/best_ema: {Reached(average["ema_top1"], average)}\n")
        );
        string model = better ? "'my run/best_ema'" : "'my run/best'";
        Assert.Contains(
            $"Next\n  deit eval --model {model} --data data\n  deit predict --model {model} YOUR-PICTURE.jpg\n",
            output
        );
        // An answer to a command that is printed.
        using DeitProcess process = DeitProcess.StartIn(
            _folder.Path,
            "\"$@\"",
            ["eval", "--model", model.Trim('\''), "--data", "data", "--output", "none"]
        );
        Assert.Equal(0, (await process.End()).ExitCode);
    }

    [Fact]
    public async Task A_batch_that_nobody_asked_for_is_lowered_to_few_pictures()
    {
        string output = await Train("run");
        Assert.Contains(
            "Notice   a batch has 24 images instead of 64: an epoch of the training set has no more than 24\n",
            output
        );
        Assert.Contains("1 step of 24 an epoch", output);
        Assert.Equal(24, Deit.Train.Options.TrainOptions.Load(_folder["run"]).Step.BatchSize);

        (int code, _, string error) = await Start("other", "--batch-size", "64");
        Assert.Equal(2, code);
        Assert.Contains("A batch of 64 images was asked for, an epoch of the training set has 24", error);
    }

    private static string Reached(double? top1, LogRow row) =>
        string.Create(CultureInfo.InvariantCulture, $"top-1 {top1:p1} in epoch {row.Epoch + 1}");

    private async Task<string> Train(string run, params string[] further)
    {
        (int code, string output, string error) = await Start(run, further);
        Assert.True(code == 0, output + error);
        return output;
    }

    private async Task<(int Code, string Output, string Error)> Start(string run, params string[] further)
    {
        using DeitProcess process = DeitProcess.StartIn(
            _folder.Path,
            "\"$@\"",
            [
                .. "train --recipe plain --embed-dim 32 --depth 1 --num-heads 2 --patch-size 8 --input-size 16".Split(
                    ' '
                ),
                .. "--epochs 2 --warmup-epochs 0 --lr 0.05 --model-ema --model-ema-decay 0.5 --data data --output".Split(
                    ' '
                ),
                run,
                .. further,
            ]
        );
        return await process.End();
    }
}
