using System.CommandLine;
using System.Diagnostics;
using Deit.Cli.Demo;
using Deit.Cli.Terminal;
using Deit.Train.Options;

namespace Deit.Cli.Commands;

/// <summary><c>deit demo</c>: the whole path on pictures it renders itself, in a few minutes on two CPU cores.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        Option<string> output = new("--output")
        {
            Description = "folder for pictures and run; replaced when it holds an earlier demo",
            DefaultValueFactory = _ => "demo",
        };
        Option<int> epochs = new("--epochs")
        {
            Description = "passes over the training images",
            DefaultValueFactory = _ => 10,
        };
        Option<string?> device = new("--device")
        {
            Description = "Vulkan device by index, name or UUID (also DEIT_DEVICE)",
        };
        Command command = new("demo", "Render a small data set, train on it, evaluate, predict.")
        {
            output,
            epochs,
            device,
        };
        command.SetAction(result => Run(result.GetValue(output)!, result.GetValue(epochs), result.GetValue(device)));
        return command;
    }

    private static TrainOptions Options(string data, string run, int epochs, string? device)
    {
        TrainOptions plain = Recipe.Load("plain");
        return plain with
        {
            Data = plain.Data with { Path = data },
            Model = plain.Model with { EmbedDim = 64, Depth = 3, NumHeads = 2, PatchSize = 8, InputSize = 40 },
            Step = plain.Step with { BatchSize = 32 },
            // Few steps on easy pictures: a higher rate and less regularisation than the recipe for ImageNet.
            Schedule = plain.Schedule with
            {
                Epochs = epochs,
                Lr = 3.2e-2,
                WarmupEpochs = 2,
                WarmupLr = 2e-4,
            },
            Augmentation = plain.Augmentation with { SmallestCrop = 0.6 },
            Run = plain.Run with { Output = run, Device = device },
        };
    }

    private static int Run(string output, int epochs, string? device)
    {
        string data = Path.Combine(output, "data"),
            run = Path.Combine(output, "run");
        long start = Stopwatch.GetTimestamp();
        // Only the folders of an earlier demo are removed.
        foreach (string folder in (ReadOnlySpan<string>)[data, run])
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        DemoDataset pictures = new();
        Console.WriteLine(
            $"Rendering {DemoDataset.Classes.Length} classes of {pictures.TrainImagesPerClass} training "
                + $"and {pictures.ValImagesPerClass} validation pictures into {data}"
        );
        pictures.Write(data);
        TrainOptions options = Options(data, run, epochs, device);
        int code = TrainTerminal.Run(options, resume: null);
        if (code != 0)
            return code;
        string best = Path.Combine(run, "best");
        Console.WriteLine();
        code = Evaluate(best, data, options);
        if (code != 0)
            return code;
        Console.WriteLine();
        code = PredictCommand.Run(best, Examples(data), top: 3, json: false, device);
        Console.WriteLine();
        Console.WriteLine($"Pictures {data}");
        Console.WriteLine($"Run      {run}: args.json, log.csv, log.jsonl, best/, last/");
        Console.WriteLine($"Model    {best}: deit predict --model {best} IMAGE...");
        Console.WriteLine($"Took     {Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s");
        return code;
    }

    private static int Evaluate(string model, string data, TrainOptions options) =>
        EvalCommand.Run(
            new EvalOptions
            {
                Model = model,
                Data = data,
                BatchSize = options.Step.BatchSize,
                ValFraction = options.Data.ValFraction,
                Device = options.Run.Device,
            }
        );

    // A picture of each of the first three classes.
    private static string[] Examples(string data) =>
        [
            .. Directory
                .EnumerateDirectories(Path.Combine(data, "val"))
                .Order(StringComparer.Ordinal)
                .Select(folder => Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).First())
                .Take(3),
        ];
}
