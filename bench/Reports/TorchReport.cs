using System.Text.Json;
using Deit.Model;

namespace Deit.Bench.Reports;

/// <summary>Reads measurements of PyTorch, as bench/Experiments/torch_peer.py writes them, and gives them the names of ours.</summary>
internal static class TorchReport
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    private static readonly Dictionary<string, string> Precisions = new(StringComparer.Ordinal)
    {
        ["amp-fp16"] = "fp16",
        ["amp-bf16"] = "bf16",
    };

    /// <summary>A model's row. <paramref name="Mode"/> is eager or compile. A combination that failed has no rate.</summary>
    private sealed record Row(
        string Model,
        string Task,
        string Precision,
        string? Mode,
        int Batch,
        double? ImagesPerS,
        double Spread,
        double? PeakMib,
        double? CpuMillisecondsPerImage,
        int? Threads
    );

    /// <summary>A product M x N x K, or the copy.</summary>
    private sealed record Gemm(string Name, string? Precision, int M, int N, int K, double? Tflops, double Spread);

    private sealed record TorchRun(string Device, string Torch, Row[] Rows, Gemm[]? Gemm);

    /// <summary>Converts a file. Of several modes of a measurement the fastest stands for PyTorch.</summary>
    /// <exception cref="JsonException">It is not such a file.</exception>
    public static BenchReport Convert(JsonElement root)
    {
        TorchRun run = root.Deserialize<TorchRun>(Json) is { Rows: not null } read
            ? read
            : throw new JsonException("it has no rows");
        IEnumerable<ModelRow> models = run
            .Rows.Where(row => row.ImagesPerS is > 0)
            .Select(row => new ModelRow(
                row.Model,
                row.Task,
                Precision(row.Precision),
                row.Batch,
                row.ImagesPerS!.Value,
                1000 * row.Batch / row.ImagesPerS.Value,
                row.Spread,
                TeraFlopsPerSecond(row),
                PeakBytes: row.PeakMib is { } mib ? (long)(mib * (1 << 20)) : null,
                CpuMillisecondsPerImage: row.CpuMillisecondsPerImage,
                Threads: row.Threads
            ));
        IEnumerable<OpRow> ops = (run.Gemm ?? []).Where(gemm => gemm.Tflops is > 0).Select(Op);
        return new BenchReport
        {
            Device = run.Device,
            Driver = $"PyTorch {run.Torch}",
            Rows =
            [
                .. ops.Concat<IBenchRow>(models).GroupBy(row => row.Key).Select(same => same.MaxBy(row => row.Rate)!),
            ],
        };
    }

    private static string Precision(string? name) => name is null ? "fp32" : Precisions.GetValueOrDefault(name, name);

    private static double? TeraFlopsPerSecond(Row row) =>
        NetworkFamilies.Names.Contains(row.Model)
            ? row.ImagesPerS
                * 2
                * MultiplyAdds.Of(NetworkFamilies.Find(row.Model))
                * (row.Task == ModelRow.Train ? MultiplyAdds.TrainingFactor : 1)
                / 1e12
            : null;

    // The gradient of a weight [N, K] is a sum over the rows. Their number stands last in PyTorch's name, and first in ours.
    private static OpRow Op(Gemm gemm)
    {
        const string WeightGradient = "wgrad_";
        (string name, string shape) = gemm.Name.StartsWith(WeightGradient, StringComparison.Ordinal)
            ? ($"{gemm.Name[WeightGradient.Length..]} weight gradient", $"{gemm.K} x {gemm.M} x {gemm.N}")
            : ($"{gemm.Name} forward", $"{gemm.M} x {gemm.N} x {gemm.K}");
        double flops = 2.0 * gemm.M * gemm.N * gemm.K,
            giga = 1000 * gemm.Tflops!.Value;
        return new OpRow(
            name,
            shape,
            Precision(gemm.Precision),
            flops / giga / 1e6,
            gemm.Spread,
            ShareOfBest: 0,
            GigaFlopsPerSecond: giga,
            Flops: flops
        );
    }
}
