using System.Globalization;
using Deit;
using Deit.Train;

if (args.Length is < 3 or > 4 || (args.Length == 4 && !int.TryParse(args[3], out _)))
{
    Console.Error.WriteLine(
        "Usage: deit-training DATA RUN WEIGHTS [EPOCHS], where DATA has a folder of pictures for each class, RUN is the folder to "
            + "write, and WEIGHTS is a model folder or hf:OWNER/REPO."
    );
    return 2;
}
(string data, string run, string weights) = (args[0], args[1], args[2]);
using CancellationTokenSource stop = new();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true; // the training ends by itself, with its state saved
    stop.Cancel();
};
try
{
    ProgressLine progress = new();
    TrainingResult trained = TrainingRun.Exists(run)
        ? await TrainingRun.ResumeAsync(run, new ResumeOptions { Data = data }, progress, stop.Token)
        : await TrainingRun.StartAsync(
            new TrainingOptions
            {
                Data = data,
                Output = run,
                Recipe = "finetune",
                Weights = weights,
                Epochs = args.Length == 4 ? int.Parse(args[3], CultureInfo.InvariantCulture) : null,
            },
            progress,
            stop.Token
        );
    Console.WriteLine($"The best model of {trained.Epochs} epochs lies in {trained.BestModel}.");

    EvaluationResult evaluation = await TrainingRun.EvaluateAsync(
        trained.BestModel,
        data,
        cancellationToken: stop.Token
    );
    Console.WriteLine($"It answers {evaluation.Top1:p1} of {evaluation.Images} pictures right.");
    foreach (ClassAccuracy one in evaluation.Classes.OrderBy(one => one.Recall))
        Console.WriteLine($"{one.Recall, 7:p1}  {one.Label}");
    return 0;
}
catch (OperationCanceledException)
{
    Console.WriteLine(TrainingRun.Exists(run) ? "Stopped; the same command goes on." : "Stopped before it began.");
    return 130;
}
catch (DeitException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}

/// <summary>A line that is written anew, and one that stays for each epoch and each notice.</summary>
internal sealed class ProgressLine : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress now)
    {
        if (now.Notice is { } notice)
            Console.WriteLine($"\rNotice: {notice}");
        else if (now.Evaluated is { } epoch)
            Console.WriteLine(
                $"\repoch {epoch.Epoch}/{now.Epochs}  top-1 {epoch.Top1:p1}  loss {epoch.ValidationLoss:f3}        "
            );
        else
            Console.Write(
                $"\r{now.Fraction, 5:p0}  loss {now.Loss, 6:f3}  {now.ImagesPerSecond:f0} images/s on {now.Device.Name}"
            );
    }
}
