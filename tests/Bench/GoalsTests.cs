using Deit.Bench.Reports;

namespace Deit.Tests.Bench;

/// <summary>bench/Experiments/goals.py: the goals beside PyTorch, from the files that deit bench and the peer write.</summary>
[Trait("Category", "Samples")] // needs a checkout
public sealed class GoalsTests : IDisposable
{
    private const string Base = "deit_base_patch16_224",
        Tiny = "deit_tiny_patch16_224";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_page_of_what_was_not_measured_is_the_table_without_files() =>
        Assert.Contains(
            await Goals(),
            File.ReadAllText(Path.Combine(Repository.Root, "bench", "results", "gpu.md")).ReplaceLineEndings("\n")
        );

    // Each verdict once: below the least, past the least, and past the goal. The largest batch that PyTorch has a row of counts.
    [Fact]
    public async Task Rows_of_both_files_become_ratios_and_verdicts()
    {
        IBenchRow[] rows =
        [
            new OpRow("qkv by tiled", "50432 x 2304 x 768", "bf16", 1, 0, 1, GigaFlopsPerSecond: 100_000),
            new OpRow("qkv by cooperative", "50432 x 2304 x 768", "bf16", 1, 0, 1, GigaFlopsPerSecond: 420_000),
            new OpRow("fc1 by cooperative", "50432 x 3072 x 768", "bf16", 1, 0, 1, GigaFlopsPerSecond: 540_000),
            new OpRow("fc1 by tiled", "50432 x 3072 x 768", "fp32", 1, 0, 1, GigaFlopsPerSecond: 50_000),
            new ModelRow(
                Base,
                "train",
                "bf16",
                256,
                ImagesPerSecond: 1200,
                1,
                0,
                PeakBytes: 20L << 30,
                HostMicroseconds: 55.2
            ),
            new ModelRow(
                Base,
                "train",
                "bf16",
                128,
                ImagesPerSecond: 1000,
                1,
                0,
                PeakBytes: 1L << 30,
                HostMicroseconds: 3
            ),
            new ModelRow(Base, "infer", "bf16", 256, ImagesPerSecond: 3100, 1, 0),
            new ModelRow(Tiny, "infer", "bf16", 256, ImagesPerSecond: 24_000, 1, 0),
            new ModelRow(Base, "infer", "bf16x3", 256, ImagesPerSecond: 1200, 1, 0),
        ];
        File.WriteAllText(_folder["ours.json"], Bench.Reports.Of(rows).ToJson());
        File.WriteAllText(
            _folder["torch.json"],
            """
            { "device": "A card", "torch": "2.9.1", "gemm": [
                { "name": "copy", "gb_per_s": 1 },
                { "name": "qkv", "precision": "bf16", "m": 50432, "n": 2304, "k": 768, "tflops": 600, "spread": 0 },
                { "name": "fc1", "precision": "bf16", "m": 50432, "n": 3072, "k": 768, "tflops": 600, "spread": 0 },
                { "name": "fc1", "precision": "fp32", "m": 50432, "n": 3072, "k": 768, "tflops": 50, "spread": 0 } ],
              "rows": [
                { "model": "deit_base_patch16_224", "task": "train", "precision": "amp-bf16", "mode": "eager",
                  "batch": 256, "images_per_s": 1000, "peak_mib": 26000 },
                { "model": "deit_base_patch16_224", "task": "train", "precision": "amp-bf16", "mode": "compile",
                  "batch": 256, "images_per_s": 1500, "peak_mib": 30000 },
                { "model": "deit_base_patch16_224", "task": "infer", "precision": "amp-bf16", "mode": "eager",
                  "batch": 256, "images_per_s": 2000 },
                { "model": "deit_base_patch16_224", "task": "infer", "precision": "amp-bf16", "mode": "compile",
                  "batch": 256, "images_per_s": 3000 },
                { "model": "deit_tiny_patch16_224", "task": "infer", "precision": "amp-bf16", "mode": "eager",
                  "batch": 256, "images_per_s": 20000 },
                { "model": "deit_tiny_patch16_224", "task": "infer", "precision": "amp-bf16", "mode": "compile",
                  "batch": 256, "images_per_s": 30000 },
                { "model": "deit_base_patch16_224", "task": "infer", "precision": "amp-bf16", "mode": "compile",
                  "batch": 128, "error": "out of memory" },
                { "model": "deit_base_patch16_224", "task": "infer", "precision": "fp32", "mode": "eager",
                  "batch": 256, "images_per_s": 800 } ] }
            """
        );
        string[] measured =
        [
            .. (await Goals(_folder["ours.json"], _folder["torch.json"]))
                .Split('\n')
                .Where(line =>
                    line.StartsWith("| ", StringComparison.Ordinal)
                    && !line.Contains("not measured", StringComparison.Ordinal)
                ),
        ];
        Assert.Equal(
            [
                "| | goal | at least | measured |",
                "| bf16 products of DeiT-B, share of torch.matmul | 85 % | 60 % | qkv 70 %, fc1 90 %: at least |",
                "| DeiT-B inference, bf16 | torch.compile amp-bf16 | eager amp-bf16 | batch 256: 1.03 x compiled, 1.55 x eager: goal |",
                "| DeiT-Ti inference, bf16 | 1.3 x torch.compile amp-bf16 | 1.3 x eager amp-bf16 "
                    + "| batch 256: 0.80 x compiled, 1.20 x eager: missed |",
                "| DeiT-B training, bf16 | torch.compile amp-bf16 | eager amp-bf16 | batch 256: 0.80 x compiled, 1.20 x eager: at least |",
                "| DeiT-B inference, bf16x3 | 2 x PyTorch's fp32 | 1 x | batch 256: 1.50 x: at least |",
                "| host time of a replayed step, the longest | 50 us | 200 us | 55 us: at least |",
                "| memory of training DeiT-B, batch 256, bf16 | 80 % of PyTorch's peak | PyTorch's peak | 79 %: goal |",
            ],
            measured
        );
    }

    private static Task<string> Goals(params string[] files) => PythonScript.Run("goals.py", files);
}
