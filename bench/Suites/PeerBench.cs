using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Deit.Bench.Reports;
using Deit.Gpu;

namespace Deit.Bench.Suites;

/// <summary>
/// Our forward pass beside that of another program, the peer, on the same machine. They run in turn, round by round, so that other load
/// of the machine meets both. The peer is a command that takes the model and pace options of <c>deit bench infer</c> and <c>--json
/// FILE</c>, and writes a file that <c>deit bench compare</c> reads.
/// </summary>
internal static class PeerBench
{
    /// <summary>Measures.</summary>
    /// <param name="device">The device of our side.</param>
    /// <param name="options">The models and batches, with the peer and the rounds.</param>
    /// <param name="progress">Is told of each row.</param>
    /// <returns>Each side's rates: the median of the rounds, and from the slowest to the fastest of them as spread.</returns>
    /// <exception cref="DeitException">An option is out of its range, or the peer fails.</exception>
    /// <exception cref="GpuException">Nothing of it fits the device.</exception>
    public static (BenchReport Ours, BenchReport Peer) Run(
        GpuDevice device,
        ModelBenchOptions options,
        Action<string> progress
    )
    {
        bool cpu = device.Info.Type == GpuType.Cpu;
        if (options.Batches(cpu).Contains(0))
            throw new DeitException(
                DeitErrorKind.Usage,
                "--peer was given with the largest batch that fits, which the peer does not know; name --batch-sizes."
            );
        List<BenchReport> ours = [],
            peers = [];
        for (int round = 1; round <= options.Rounds; round++)
        {
            progress($"Round {round} of {options.Rounds}");
            ours.Add(ModelBench.Run(device, options, ModelRow.Infer, progress));
            peers.Add(Ask(options.Peer!, Arguments(options, cpu)));
        }
        return (Summary(ours), Summary(peers));
    }

    /// <summary>
    /// The median rates of reports of one program, and the distance of the slowest from the fastest round as a share of them.
    /// </summary>
    public static BenchReport Summary(IReadOnlyList<BenchReport> rounds) =>
        rounds[0] with
        {
            Rows =
            [
                .. rounds
                    .SelectMany(report => report.Models)
                    .GroupBy(row => ((IBenchRow)row).Key)
                    .Select(same =>
                    {
                        double[] rates = [.. same.Select(row => row.ImagesPerSecond).Order()];
                        double median = rates[rates.Length / 2];
                        ModelRow row = same.First(row => row.ImagesPerSecond == median);
                        return row with { Spread = (rates[^1] - rates[0]) / median };
                    }),
            ],
        };

    private static List<string> Arguments(ModelBenchOptions options, bool cpu)
    {
        List<string> arguments = [];
        if (options.EmbedDim is { } dim)
        {
            Add("--embed-dim", dim);
            Add("--depth", options.Depth);
            Add("--num-heads", options.NumHeads);
            Add("--patch-size", options.PatchSize);
            Add("--input-size", options.InputSize);
        }
        else
        {
            Add("--models", options.Configs(cpu).Select(model => (object)model.Name).ToArray());
        }
        Add("--batch-sizes", options.Batches(cpu).Select(batch => (object)batch).ToArray());
        Add("--warm-up", options.WarmUp);
        Add("--seconds", options.Seconds);
        Add("--repetitions", options.Repetitions);
        return arguments;

        void Add(string flag, params object?[] values)
        {
            if (values is not [null])
                arguments.AddRange([
                    flag,
                    .. values.Select(value => string.Create(CultureInfo.InvariantCulture, $"{value}")),
                ]);
        }
    }

    private static BenchReport Ask(string peer, List<string> arguments)
    {
        string file = Path.Combine(Path.GetTempPath(), $"deit-peer-{Guid.NewGuid():N}.json");
        try
        {
            // Our standard output is the report alone, so the peer's is read and dropped.
            ProcessStartInfo start = new(peer, [.. arguments, "--json", file]) { RedirectStandardOutput = true };
            using Process process = Process.Start(start)!;
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? BenchReport.Load(file)
                : throw new DeitException(
                    DeitErrorKind.Other,
                    $"The peer '{peer}' ended with exit code {process.ExitCode}; run it alone to see why."
                );
        }
        catch (Win32Exception error)
        {
            throw new DeitException(
                DeitErrorKind.Usage,
                $"The peer '{peer}' cannot be started: {error.Message}; "
                    + "give a command that can, such as bench/Experiments/onnxruntime.",
                error
            );
        }
        finally
        {
            File.Delete(file);
        }
    }
}
