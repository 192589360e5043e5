using System.CommandLine;
using System.Diagnostics;
using Deit.Bench.Reports;
using Deit.Bench.Suites;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Model;
using static System.FormattableString;

namespace Deit.Cli.Commands;

/// <summary><c>deit tune</c>: measures ahead which kernels a model's steps run fastest with.</summary>
internal static class TuneCommand
{
    public static Command Create()
    {
        ExplainedCommand tune = new(
            "tune",
            "Measure ahead which kernels are the fastest on a device. Without it the first runs do so, for some seconds each.",
            new Example("deit tune --model deit_small_patch16_224", "Measures the kernels of predictions."),
            new Example(
                "deit tune --model deit_small_patch16_224 --task train --batch-size 64",
                "Measures those of a training."
            )
        );
        OptionBinder<TuneOptions> binder = new(tune);
        tune.SetAction(result => Run(binder.Bind(result)));
        return tune;
    }

    private static int Run(TuneOptions options)
    {
        NetworkConfig config = options.Config();
        if (Environment.GetEnvironmentVariable("DEIT_TUNE") is "0" or "false")
            throw new DeitException(
                DeitErrorKind.Usage,
                "Measuring kernels was asked for, and DEIT_TUNE=0 forbids it; unset the variable."
            );
        Precision wanted = Precision.Parse(options.Precision);
        using GpuDevice device = CommandDevice.Open(options.Device.Selector);
        (Precision types, string? notice) = Precision.For(device.Info, wanted);
        if (notice is not null)
            Output.Notice(notice);
        long start = Stopwatch.GetTimestamp();
        IReadOnlyDictionary<string, string> before = device.Choices.All;
        using INetwork network = config.Create(device);
        network.Parameters.Initialize(1);
        if (options.Task == ModelRow.Infer)
            network.Parameters.Freeze(); // as DeitModel does
        (int batch, ModelStep step) = ModelStep.Open(device, network, options.Task, options.BatchSize, types);
        step.Dispose();
        MarkdownTable table = new("choice", "kernel");
        foreach ((string key, string kernel) in device.Choices.All.Where(choice => !before.ContainsKey(choice.Key)))
            table.Add(key, kernel);
        if (!table.Empty)
            Output.Text($"{table}\n");
        string seconds = Invariant($"{Stopwatch.GetElapsedTime(start).TotalSeconds:0.0}");
        Output.Line(
            $"{device.Choices.All.Count - before.Count} choices of {options.Model}, {options.Task}, batch {batch}, {types.Name}, "
                + $"were measured on {device.Info.Name} in {seconds} s and are kept."
        );
        return 0;
    }
}
