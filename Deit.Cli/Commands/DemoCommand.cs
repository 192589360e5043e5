using System.CommandLine;
using System.Diagnostics;
using Deit.Cli.Demo;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Model;
using Deit.Train.Options;
using Deit.Train.Reporting;
using Deit.Train.Runs;

namespace Deit.Cli.Commands;

/// <summary>The options of <c>deit demo</c>.</summary>
internal sealed record DemoOptions
{
    [Flag("folder for pictures and run; an earlier demo in it is replaced, anything else is not", Value = "DIR")]
    public string Output { get; init; } = "demo";

    [Flag("passes over the training images")]
    public int Epochs { get; init; } = 30;

    [FlagGroup("Device")]
    public DeviceOptions Device { get; init; } = new();
}

/// <summary><c>deit demo</c>: the whole path on pictures it renders itself, in a few minutes on two CPU cores.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        ExplainedCommand command = new(
            "demo",
            "Render a small data set, train on it, evaluate, predict.",
            new Example(
                "deit demo",
                "Draws pictures, trains on them and shows what the model answers, in the folder demo."
            ),
            new Example("deit demo --output /tmp/demo", "The same in another folder."),
            new Example("deit demo --device 1", "The same on another device; deit devices lists them.")
        );
        OptionBinder<DemoOptions> binder = new(command);
        command.SetAction(result => Run(binder.Bind(result)));
        return command;
    }

    private static TrainOptions Training(DemoOptions options, string data, string run)
    {
        TrainOptions plain = Recipe.Load("plain");
        return plain with
        {
            Data = plain.Data with { Path = data },
            Model = plain.Model with { EmbedDim = 64, Depth = 4, NumHeads = 2, PatchSize = 8, InputSize = 40 },
            Step = plain.Step with { BatchSize = 32 },
            // Few steps on easy pictures: a higher rate and less regularisation than the recipe for ImageNet.
            Schedule = plain.Schedule with
            {
                Epochs = options.Epochs,
                Lr = 4.8e-2,
                WarmupEpochs = 2,
                WarmupLr = 2e-4,
            },
            Augmentation = plain.Augmentation with { SmallestCrop = 0.6 },
            Run = plain.Run with { Output = run, Device = options.Device },
        };
    }

    private static int Run(DemoOptions options)
    {
        long start = Stopwatch.GetTimestamp();
        using DemoFolders folders = DemoFolders.Take(options.Output);
        (string data, string run) = (folders.Data, folders.Run);
        // An earlier demo stays until it is known that this one can run.
        CommandDevice.Open(options.Device.Selector).Dispose();
        DemoDataset pictures = new() { TrainImagesPerClass = 200 };
        Output.Line(
            $"Rendering {DemoDataset.Classes.Length} classes of {pictures.TrainImagesPerClass} training "
                + $"and {pictures.ValImagesPerClass} validation pictures into {data}"
        );
        folders.Replace(pictures);
        TrainOptions training = Training(options, data, run);
        int code = TrainTerminal.Run(training, resume: null, choice: null, next: false);
        if (code != 0)
            return code;
        string best = Path.Combine(run, "best");
        Output.Line();
        code = Evaluate(best, data, training);
        if (code != ExitCode.Done)
            return code;
        string sheet = Path.Combine(run, DemoFolders.AnswersFile);
        Output.Line();
        Output.Line("One picture of each class, none of which was trained on:");
        using (DeitModel model = DeitModel.Load(best, new() { Device = options.Device.Selector, CpuFallback = true }))
            DemoAnswers.Show(model, Path.Combine(data, "val"), sheet);
        Output.Line();
        Output.Line($"Answers  {sheet}: these pictures, and beside each where the model looked");
        Output.Line($"Report   {Path.Combine(run, RunReport.FileName)}: open it in a browser");
        Output.Line($"Model    {best}");
        Output.Line($"Took     {Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s");
        Output.Line();
        Output.Line("Next");
        Output.Line($"  {PredictLine(best, data)}");
        Output.Line("  deit check YOUR-PICTURES        a folder with a folder of pictures for each class");
        Output.Line("  deit train --data YOUR-PICTURES --recipe finetune --finetune WEIGHTS");
        Output.Line("  deit help train");
        return code;
    }

    /// <summary>A command to copy that classifies the pictures of one class.</summary>
    /// <param name="model">The model folder.</param>
    /// <param name="data">The data folder.</param>
    internal static string PredictLine(string model, string data) =>
        $"deit predict --model {ShellWord.Quoted(model)} {ShellWord.Quoted(Path.Combine(data, "val", "ring"))}";

    private static int Evaluate(string model, string data, TrainOptions training) =>
        EvalCommand.Run(
            new EvalOptions
            {
                Model = model,
                Data = data,
                BatchSize = training.Step.BatchSize,
                ValFraction = training.Data.ValFraction,
                Device = training.Run.Device,
            }
        );
}
