using System.Globalization;
using System.Text;

namespace Deit.Bench.Reports;

/// <summary>The text of a report: the terminal shows it, and the Markdown file holds it.</summary>
internal static class BenchText
{
    private const string ModelColumns =
        "A step is replayed back to back on inputs that lie on the device; uploads are not in it. "
        + "train: forward, soft-target cross-entropy,\n"
        + "backward, AdamW, drop-path 0.1. TFLOP/s: two operations a multiply-add of the matrix products, "
        + "three forward passes a training step.\n"
        + "of best: of the fastest of DeiT-B's forward products in the same run. "
        + "host: the time that submitting a step to the idle device takes the host.\n";
    private const string OpColumns =
        "An op is replayed back to back, each replay a submission of its own. "
        + "of best: of the fastest product, or of the largest copy, of this\n"
        + "run; a cache gives more than all of it.\n";

    /// <summary>The device and the tables.</summary>
    public static string Of(BenchReport report) => $"{Heading(report)}\n{Tables(report)}";

    /// <summary>A table of models and one of ops, each with a blank line before it and the meaning of its columns below.</summary>
    public static string Tables(BenchReport report)
    {
        StringBuilder text = new();
        MarkdownTable models = Models(report.Models),
            ops = Ops(report.Ops);
        if (!models.Empty)
        {
            text.Append('\n').Append(models).Append('\n');
            text.Append(ModelColumns);
        }
        if (!ops.Empty)
        {
            text.Append('\n').Append(ops).Append('\n');
            text.Append(OpColumns);
        }
        if (report.Compiled is { } kernels)
            text.Append(KernelText.Of(kernels));
        if (report.Rows.Any(row => row.Spread > IBenchRow.SteadySpread))
            text.Append(
                "!: the quartiles of the repetitions lie more than 2 % apart: the machine was not idle, or the time too short.\n"
            );
        return text.ToString();
    }

    /// <summary>Device, driver, features, version: a line each where known.</summary>
    public static string Heading(BenchReport report)
    {
        string type = report.Type is { } known ? $" ({known})" : "";
        string memory = report.MemoryBytes is { } bytes ? Invariant($", {bytes / (double)(1 << 30):0.0} GiB") : "";
        List<string> lines = [$"Device   {report.Device}{type}, {report.Driver}{memory}"];
        if (report.Features is { } features)
            lines.Add($"Types    {features}");
        if (report.Host is { } host)
            lines.Add($"Host     {host}");
        if (report.Version is { } version)
            lines.Add($"Version  {version}");
        return string.Join('\n', lines);
    }

    private static MarkdownTable Models(IEnumerable<ModelRow> rows)
    {
        MarkdownTable table = new(
            "model",
            "task",
            "precision",
            "batch",
            "images/s",
            "ms/step",
            "spread",
            "TFLOP/s",
            "of best",
            "peak MiB",
            "host us",
            "logits error"
        );
        foreach (ModelRow row in rows)
            table.Add(
                row.Model,
                row.Task,
                row.Precision,
                $"{row.Batch}",
                MarkdownTable.Number(row.ImagesPerSecond),
                MarkdownTable.Number(row.Milliseconds),
                MarkdownTable.Spread(row.Spread),
                row.TeraFlopsPerSecond is { } flops ? MarkdownTable.Number(flops) : "",
                row.ShareOfBest is { } share ? MarkdownTable.Percent(share) : "",
                row.PeakBytes is { } bytes ? Invariant($"{bytes / (double)(1 << 20):F0}") : "",
                row.HostMicroseconds is { } host ? Invariant($"{host:F0}") : "",
                row.LogitsError is { } error ? Invariant($"{error:0.0e+0}") : ""
            );
        return table;
    }

    private static MarkdownTable Ops(IEnumerable<OpRow> rows)
    {
        MarkdownTable table = new("op", "shape", "precision", "ms", "spread", "rate", "of best");
        foreach (OpRow row in rows)
            table.Add(
                row.Op,
                row.Shape,
                row.Precision,
                MarkdownTable.Number(row.Milliseconds),
                MarkdownTable.Spread(row.Spread),
                row is IBenchRow { Rate: var rate, Unit: var unit } ? $"{MarkdownTable.Number(rate)} {unit}" : "",
                MarkdownTable.Percent(row.ShareOfBest)
            );
        return table;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
