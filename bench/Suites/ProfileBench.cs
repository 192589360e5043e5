using System.Text;
using System.Text.RegularExpressions;
using Deit.Bench.Reports;
using Deit.Gpu;
using Deit.Model;

namespace Deit.Bench.Suites;

/// <summary>
/// Shows where a step's time goes: every kernel by the layer that recorded it. Beside it stands the least time that its operations and
/// bytes could take, at the rates of the device's fastest product and largest copy of the same run.
/// </summary>
internal static partial class ProfileBench
{
    private const int Runs = 5;

    /// <summary>All dispatches of a kernel by layers of the same name.</summary>
    /// <param name="Layer">The name without numbers of blocks; empty for dispatches of no layer.</param>
    /// <param name="Kernel">The shader.</param>
    /// <param name="Dispatches">Their number.</param>
    /// <param name="Milliseconds">The time of all of them, each alone.</param>
    /// <param name="Flops">The operations of all.</param>
    /// <param name="Bytes">Bytes that all must move, each tensor of a dispatch once.</param>
    /// <param name="FloorMilliseconds">The time that they would take at the device's best.</param>
    internal sealed record Row(
        string Layer,
        string Kernel,
        int Dispatches,
        double Milliseconds,
        double Flops,
        double Bytes,
        double FloorMilliseconds
    );

    /// <summary>Profiles a model's step.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">The model and its step.</param>
    /// <returns>Heading, table and the meaning of its columns.</returns>
    /// <exception cref="DeitException">An option is out of its range, or the device lacks the arithmetic.</exception>
    /// <exception cref="GpuException">The step does not fit the device, or it has no timestamps.</exception>
    public static string Run(GpuDevice device, ProfileOptions options)
    {
        Precision types = Precision.Parse(options.Precision);
        (Precision possible, string? notice) = Precision.For(device.Info, types);
        if (possible != types)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Profiling in {options.Precision}: {notice}; choose another --precision."
            );
        if (options.Task == ModelRow.Train && !types.Trains)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Profiling training in {options.Precision}: it is for inference alone; choose another --precision."
            );
        using INetwork network = options.Config().Create(device);
        network.Parameters.Initialize(1);
        if (options.Task == ModelRow.Infer)
            network.Parameters.Freeze(); // as DeitModel does
        (int batch, ModelStep opened) = ModelStep.Open(
            device,
            network,
            options.Task,
            options.BatchSize ?? (device.Info.Type == GpuType.Cpu ? 1 : 0),
            types
        );
        using ModelStep step = opened;
        (double gigaFlops, double gigaBytes) = (OpsBench.BestProduct(device, types), OpsBench.BestCopy(device));
        Timing replay = Timing.OfReplays(device, step.Graph, new Pace(WarmUp: 0.5, Seconds: 1, Repetitions: 5)).Replay;
        IReadOnlyList<Row> rows = Rows(
            [.. Enumerable.Range(0, Runs).Select(_ => step.Graph.Profile())],
            gigaFlops,
            gigaBytes
        );
        StringBuilder text = new();
        text.Append(BenchText.Heading(BenchReport.Of(device, []))).Append("\n\n");
        if (notice is not null)
            text.Append($"Notice: {notice}\n\n");
        text.Append(
            $"{options.Model} {options.Task} {options.Precision}, batch {batch}: {MarkdownTable.Number(replay.Milliseconds)} ms a step\n\n"
        );
        text.Append(Table(rows)).Append('\n');
        text.Append(
            $"A dispatch is timed alone, the median of {Runs} runs; replayed, dispatches that do not need each other overlap. "
        );
        text.Append("floor: the larger of operations at\n");
        text.Append(
            $"{MarkdownTable.Number(gigaFlops)} GFLOP/s, the fastest of DeiT-B's forward products in {options.Precision}, "
        );
        text.Append(
            $"and bytes at {MarkdownTable.Number(gigaBytes)} GB/s, a copy that no cache holds; both of this run.\n"
        );
        text.Append("A cache goes below it, or a shape that suits the product's kernel better than those.\n");
        return text.ToString();
    }

    /// <summary>Sums up by layer and kernel, slowest first.</summary>
    /// <param name="profiles">Runs of one graph, of which the median counts for each dispatch.</param>
    /// <param name="gigaFlops">GFLOP/s of the device's best product.</param>
    /// <param name="gigaBytes">GB/s of its best copy.</param>
    internal static IReadOnlyList<Row> Rows(IReadOnlyList<GraphProfile> profiles, double gigaFlops, double gigaBytes) =>
        [
            .. profiles[0]
                .Rows.Select((_, i) => Dispatch(profiles, i, gigaFlops, gigaBytes))
                .GroupBy(row => (row.Layer, row.Kernel))
                .Select(group => Sum(group.Key.Layer, group.Key.Kernel, group))
                .OrderByDescending(row => row.Milliseconds),
        ];

    // One dispatch of the graph, by the median of its times.
    private static Row Dispatch(IReadOnlyList<GraphProfile> profiles, int index, double gigaFlops, double gigaBytes)
    {
        GraphProfile.Row row = profiles[0].Rows[index];
        string label = row.Label[..Math.Max(0, row.Label.LastIndexOf(": ", StringComparison.Ordinal))];
        return new Row(
            Number().Replace(label, ".*"),
            row.Kernel,
            1,
            Timing.Of(profiles.Select(profile => profile.Rows[index].Nanoseconds / 1e6)).Milliseconds,
            row.Cost.Flops,
            row.Cost.Bytes,
            Math.Max(row.Cost.Flops / gigaFlops, row.Cost.Bytes / gigaBytes) / 1e6
        );
    }

    private static Row Sum(string layer, string kernel, IEnumerable<Row> rows) =>
        new(
            layer,
            kernel,
            rows.Sum(row => row.Dispatches),
            rows.Sum(row => row.Milliseconds),
            rows.Sum(row => row.Flops),
            rows.Sum(row => row.Bytes),
            rows.Sum(row => row.FloorMilliseconds)
        );

    private static MarkdownTable Table(IReadOnlyList<Row> rows)
    {
        MarkdownTable table = new(
            "layer",
            "kernel",
            "runs",
            "ms",
            "of all",
            "GFLOP/s",
            "GB/s",
            "floor ms",
            "ms / floor"
        );
        Row all = Sum("all", "", rows);
        foreach (Row row in rows)
            Add(row);
        Add(all);
        return table;

        void Add(Row row) =>
            table.Add(
                row.Layer,
                row.Kernel,
                $"{row.Dispatches}",
                MarkdownTable.Number(row.Milliseconds),
                MarkdownTable.Percent(row.Milliseconds / all.Milliseconds, "F1"),
                MarkdownTable.Number(row.Flops / row.Milliseconds / 1e6),
                MarkdownTable.Number(row.Bytes / row.Milliseconds / 1e6),
                MarkdownTable.Number(row.FloorMilliseconds),
                MarkdownTable.Number(row.Milliseconds / row.FloorMilliseconds)
            );
    }

    [GeneratedRegex(@"\.\d+(?=\.|$)")]
    private static partial Regex Number();
}
