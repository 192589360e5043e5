using System.CommandLine;
using Deit.Bench.Reports;
using Deit.Bench.Suites;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Train.Options;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench vectors</c>: whether a CPU driver is faster with longer vectors; the answer is kept.</summary>
internal static class VectorsCommand
{
    public static Command Create()
    {
        Option<int> rounds = new("--rounds")
        {
            Description = "rounds in which all widths take turns",
            DefaultValueFactory = _ => 3,
        };
        Option<double> seconds = new("--seconds")
        {
            Description = "seconds of a measurement",
            DefaultValueFactory = _ => 2,
        };
        ExplainedCommand command = new(
            "vectors",
            "Time a CPU driver with each length of the processor's vectors, and keep the faster for all later runs.",
            new Example("deit bench vectors", "Measures for a minute or two, and says what later runs take."),
            new Example("deit bench vectors --rounds 7", "Measures longer, on a machine that others use too.")
        )
        {
            NumberOption.Strict(rounds),
            NumberOption.Strict(seconds),
        };
        OptionBinder<DeviceOptions> device = new(command);
        command.SetAction(result =>
            Run(result.GetValue(rounds), result.GetValue(seconds), device.Bind(result).Selector)
        );
        return command;
    }

    private static int Run(int rounds, double seconds, string? selector)
    {
        if (rounds is < 1 or > 100)
            throw new DeitException(DeitErrorKind.Usage, $"--rounds is {rounds}, expected 1 to 100.");
        if (!(seconds is > 0 and <= 600))
            throw new DeitException(
                DeitErrorKind.Usage,
                FormattableString.Invariant($"--seconds is {seconds}, expected more than 0 and at most 600.")
            );
        using GpuDevice gpu = CommandDevice.Open(selector);
        if (gpu.Info.Type != GpuType.Cpu)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Measuring the processor's vectors on {gpu.Info.Name}: expected a CPU driver; choose one by --device."
            );
        if (VectorWidth.Widths.Count == 1)
        {
            Output.Text("This processor or system has one length of vectors: there is nothing to measure.");
            return 0;
        }
        IReadOnlyList<VectorBench.Rates> rates = VectorBench.Run(
            VectorWidth.Widths,
            rounds,
            seconds,
            selector,
            Output.Aside
        );
        MarkdownTable table = new("bits", "device", "inference, images/s", "training, images/s");
        foreach (VectorBench.Rates rate in rates)
            table.Add(
                $"{rate.Bits}",
                rate.Device,
                MarkdownTable.Number(VectorBench.Rates.Median(rate.Infer)),
                MarkdownTable.Number(VectorBench.Rates.Median(rate.Train))
            );
        Output.Text(table.ToString());
        if (rates.Select(rate => rate.Device).Distinct().Count() < rates.Count)
        {
            Output.Text("The driver takes no length of vectors from outside: nothing is kept.");
            return 0;
        }
        int best = VectorBench.Best(rates);
        if (!VectorWidth.Keep(best))
            throw new DeitException(
                DeitErrorKind.Output,
                $"Vectors of {best} bits are the fastest, and '{VectorWidth.File}' cannot keep that; "
                    + "set DEIT_CACHE to a folder that can be written."
            );
        Output.Text(
            $"Later runs on this processor and driver take vectors of {best} bits; {VectorWidth.Variable} overrides it."
        );
        return 0;
    }
}
