using System.Diagnostics;
using System.Globalization;
using Deit.Bench.Reports;
using Deit.Gpu;

namespace Deit.Bench.Suites;

/// <summary>
/// Measures a CPU driver with each width of vectors that the processor has. A process cannot change the width once the driver is
/// loaded. So each measurement is a process of its own, this program again.
/// </summary>
internal static class VectorBench
{
    /// <summary>The gain that is worth another width: less may be noise.</summary>
    public const double Gain = 1.05;

    private const string Model = "deit_tiny_patch16_224";
    private const int BatchSize = 8;

    /// <summary>The rates of a width, in images/s, of all rounds.</summary>
    internal sealed record Rates(int Bits, string Device, IReadOnlyList<double> Infer, IReadOnlyList<double> Train)
    {
        /// <summary>The geometric mean of the medians.</summary>
        public double Score => Math.Sqrt(Median(Infer) * Median(Train));

        internal static double Median(IReadOnlyList<double> values) => values.Order().ElementAt(values.Count / 2);
    }

    /// <summary>Measures all widths in turn.</summary>
    /// <param name="widths">The widths in bits.</param>
    /// <param name="rounds">Rounds, of each of which the median counts.</param>
    /// <param name="seconds">Seconds of a measurement.</param>
    /// <param name="device">The device's selector; null for the default.</param>
    /// <param name="progress">Takes a line for each round.</param>
    /// <exception cref="DeitException">A measurement fails.</exception>
    public static IReadOnlyList<Rates> Run(
        IReadOnlyList<int> widths,
        int rounds,
        double seconds,
        string? device,
        Action<string> progress
    )
    {
        Dictionary<int, List<(ModelRow Row, string Device)>> rows = widths.ToDictionary(
            bits => bits,
            _ => new List<(ModelRow, string)>()
        );
        for (int round = 1; round <= rounds; round++)
            foreach (int bits in widths)
            {
                progress($"Round {round} of {rounds}, {bits} bits");
                foreach (string task in (string[])[ModelRow.Infer, ModelRow.Train])
                {
                    BenchReport report = Measure(bits, task, seconds, device);
                    rows[bits].Add((report.Models.Single(), report.Device));
                }
            }
        return
        [
            .. widths.Select(bits => new Rates(
                bits,
                rows[bits][0].Device,
                [.. rows[bits].Where(row => row.Row.Task == ModelRow.Infer).Select(row => row.Row.ImagesPerSecond)],
                [.. rows[bits].Where(row => row.Row.Task == ModelRow.Train).Select(row => row.Row.ImagesPerSecond)]
            )),
        ];
    }

    /// <summary>The width to take: the fastest, if it is faster than the driver's own by more than noise.</summary>
    /// <param name="rates">The driver's own width first.</param>
    public static int Best(IReadOnlyList<Rates> rates)
    {
        Rates best = rates.MaxBy(rate => rate.Score)!;
        return best.Score >= Gain * rates[0].Score ? best.Bits : rates[0].Bits;
    }

    private static BenchReport Measure(int bits, string task, double seconds, string? device)
    {
        string file = Path.Combine(Path.GetTempPath(), $"deit-vectors-{Guid.NewGuid():N}.json");
        string[] program = Self();
        ProcessStartInfo start = new(
            program[0],
            [
                .. program[1..],
                "bench",
                task,
                "--models",
                Model,
                "--precisions",
                "fp32",
                "--batch-sizes",
                $"{BatchSize}",
                "--seconds",
                seconds.ToString(CultureInfo.InvariantCulture),
                .. device is null ? (string[])[] : ["--device", device],
                "--json",
                file,
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[VectorWidth.Variable] = $"{bits}";
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> complaint = process.StandardError.ReadToEndAsync();
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? BenchReport.Load(file)
                : throw new DeitException(
                    DeitErrorKind.Other,
                    $"Measuring vectors of {bits} bits ended with exit code {process.ExitCode}: "
                        + $"{complaint.Result.Trim().Split('\n')[^1]}"
                );
        }
        finally
        {
            File.Delete(file);
        }
    }

    // The command line that started this process, without the program's own arguments. The process may be a runtime, or a loader
    // that runs one.
    private static string[] Self()
    {
        string[] whole = File.ReadAllText("/proc/self/cmdline").Split('\0')[..^1];
        return whole[..^(Environment.GetCommandLineArgs().Length - 1)];
    }
}
