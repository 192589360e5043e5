using System.CommandLine;
using Deit.Bench.Reports;
using Deit.Bench.Suites;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Train.Distributed;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench infer</c> and <c>deit bench train</c>: whole models.</summary>
internal static class ModelCommand
{
    /// <summary>Makes the command of a task.</summary>
    /// <param name="task"><see cref="ModelRow.Infer"/> or <see cref="ModelRow.Train"/>.</param>
    /// <param name="steps">The steps of the task, in the words of the help text.</param>
    public static Command Create(string task, string steps)
    {
        ExplainedCommand command = new(
            task,
            $"Time whole models' {steps}: images/s, TFLOP/s, the share of the device's best product, memory.",
            new Example($"deit bench {task}", "Measures the three DeiT, in the batches that fit."),
            new Example(
                $"deit bench {task} --models deit_small_patch16_224 --batch-sizes 1 64 0",
                "Measures one model at batches of 1, of 64, and of the most that fits."
            ),
            new Example(
                $"deit bench {task} --precisions fp32 fp16 --csv {task}.csv",
                "Writes a table of two arithmetics."
            ),
            task == ModelRow.Train
                ? new Example(
                    "mpirun -n 2 --bind-to none deit bench train",
                    "Measures a training over two devices, beside one that trains alone."
                )
                : new Example(
                    "deit bench infer --batch-sizes 1 --seconds 10",
                    "Measures the answers to single pictures for longer."
                )
        );
        OptionBinder<ModelBenchOptions> binder = new(command);
        BenchOutput output = new(command);
        command.SetAction(result => Run(task, binder.Bind(result), result, output));
        return command;
    }

    // Over the ranks of a launcher, or on several devices; false for one device alone.
    private static bool RunRanks(ModelBenchOptions options, bool writesFiles)
    {
        World? world = RankProcess.Join(World.DefaultTimeout);
        string[] devices = Devices(options);
        if (world is null && devices.Length < 2)
            return false;
        if (writesFiles)
            throw new DeitException(
                DeitErrorKind.Usage,
                "--json, --csv, --markdown or --output was given with several ranks, whose table is printed alone; drop it."
            );
        if (world is not null && devices.Length > 0)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--devices was given, and a launcher started {world.Size} processes; drop --devices, or the launcher."
            );
        RankTable.Run(world, options, devices);
        RankProcess.Leave(ExitCode.Done);
        return true;
    }

    private static string[] Devices(ModelBenchOptions options) =>
        options.Ranks.Training.DeviceList(() => Team.Suitable().Select(info => info.Index));

    private static int Run(string task, ModelBenchOptions options, ParseResult result, BenchOutput output)
    {
        options.Validate();
        if (options.Peer is not null && task != ModelRow.Infer)
            throw new DeitException(
                DeitErrorKind.Usage,
                "--peer was given with training, and peers are measured at inference alone; use deit bench infer."
            );
        if (task == ModelRow.Train && RunRanks(options, output.IsGiven(result)))
            return 0;
        if (task == ModelRow.Train && options.Ranks.Devices is not null)
            options = options with { Device = options.Device with { Selector = Devices(options)[0] } };
        using GpuDevice gpu = CommandDevice.Open(options.Device.Selector);
        if (options.Peer is null)
        {
            output.Write(result, ModelBench.Run(gpu, options, task, Output.Aside));
            return 0;
        }
        (BenchReport ours, BenchReport peer) = PeerBench.Run(gpu, options, Output.Aside);
        output.Write(result, ours);
        // With the peer as A, B / A is above 1 where ours is faster.
        Output.Text(
            $"\n{new BenchComparison(peer, ours)}Rates are medians of {options.Rounds} rounds in turn, "
                + "spreads from the slowest to the fastest of them.",
            aside: output.PrintsJson(result)
        );
        return 0;
    }
}
