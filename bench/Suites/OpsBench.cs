using Deit.Bench.Reports;
using Deit.Gpu;
using Deit.Model;

namespace Deit.Bench.Suites;

/// <summary>
/// Times every op at the shapes of DeiT. A row is replayed alone; its rate is set against the best that the device showed in the same run:
/// the fastest product, and a copy that no cache holds.
/// </summary>
internal static class OpsBench
{
    private static readonly Pace Quick = new(WarmUp: 0.1, Seconds: 0.7, Repetitions: 7);

    /// <summary>A case with its time, and with the recording's counts where the case has none.</summary>
    private sealed record Measured(OpCase Case, Timing Time, double Flops, double Bytes)
    {
        public bool IsProduct => Case.Flops > 0;

        public double Rate => (IsProduct ? Flops : Bytes) / Time.Milliseconds / 1e6; // GFLOP/s or GB/s
    }

    /// <summary>Images of a batch where none is given: a CPU driver gets fewer for the same shapes.</summary>
    public static int DefaultBatch(GpuDevice device) => device.Info.Type == GpuType.Cpu ? 4 : 64;

    /// <summary>Measures every op.</summary>
    /// <param name="device">The device.</param>
    /// <param name="batch">Images of a batch.</param>
    public static BenchReport Run(GpuDevice device, int batch)
    {
        Measured[] measured = [.. OpCases.All(device, batch).Select(c => Measure(device, c, Quick))];
        // Each arithmetic has a best of its own: fp32 does not run on the units of bf16.
        Dictionary<Precision, double> bestFlops = measured
            .Where(m => m.IsProduct)
            .GroupBy(m => m.Case.Arithmetic)
            .ToDictionary(group => group.Key, group => group.Max(m => m.Rate));
        double bestBytes = measured.Where(m => m.Case.Op == OpRow.Copy).MaxBy(m => m.Bytes)!.Rate;
        return BenchReport.Of(
            device,
            [
                .. measured.Select(m => new OpRow(
                    m.Case.Op,
                    m.Case.Shape,
                    m.Case.Arithmetic.Name,
                    m.Time.Milliseconds,
                    m.Time.Spread,
                    m.Rate / (m.IsProduct ? bestFlops[m.Case.Arithmetic] : bestBytes),
                    m.IsProduct ? m.Rate : null,
                    m.IsProduct ? null : m.Rate,
                    m.Flops,
                    m.Bytes
                )),
            ]
        );
    }

    /// <summary>GFLOP/s of the fastest of DeiT-B's forward products in an arithmetic, against which whole models are held.</summary>
    public static double BestProduct(GpuDevice device, Precision arithmetic) =>
        ProductCases
            .Linear(device, DefaultBatch(device) * 197, 768, arithmetic)
            .Where(c => c.Op.EndsWith("forward", StringComparison.Ordinal))
            .Max(c => Measure(device, c, Quick).Rate);

    /// <summary>GB/s of a copy that no cache holds.</summary>
    public static double BestCopy(GpuDevice device) =>
        OpCases.LargeCopy(device).Max(c => Measure(device, c, Quick).Rate);

    private static Measured Measure(GpuDevice device, OpCase c, Pace pace)
    {
        using Graph graph = device.Record(c.Record, new GraphOptions { Purpose = $"measuring {c.Op}" });
        double flops = c.Flops > 0 ? c.Flops : graph.Dispatches.Sum(d => d.Cost.Flops),
            bytes = c.Bytes > 0 ? c.Bytes : graph.Dispatches.Sum(d => d.Cost.Bytes);
        return new Measured(c, Timing.OfReplays(device, graph, pace).Replay, flops, bytes);
    }
}
