using Deit.Bench.Reports;

namespace Deit.Tests.Bench;

/// <summary>bench/Experiments/peers_page.py: the tables of bench/Experiments/peers, from the files of its rounds.</summary>
[Trait("Category", "Samples")] // needs a checkout
public sealed class PeersPageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // Three rounds of ours, in an order that is not that of the rates; PyTorch with two numbers of threads, each of which is faster once.
    [Fact]
    public async Task The_fastest_way_of_each_round_stands_and_the_page_has_the_medians()
    {
        File.WriteAllText(_folder["engines"], "ours\tours\npytorch\tPyTorch\nggml\tggml\n");
        File.WriteAllText(_folder["missing"], "ggml: it was not given\n");
        File.WriteAllText(_folder["load"], "0.50 1 1 1/2 3\n1.25 1 1 1/2 3\n");
        foreach ((int round, double rate, double cpu) in new[] { (1, 20.0, 110.0), (2, 10.0, 90.0), (3, 12.0, 100.0) })
        {
            Ours(round, "infer", Reports.Model(rate) with { CpuMillisecondsPerImage = cpu });
            Ours(round, "products", Product("tiled", 10 * round), Product("resident", 50 + round));
        }
        // A tree that tells no processor time, and a task that the other has not.
        Ours(1, "train", Reports.Model(3.5, task: "train"));
        Torch("1-infer-1.json", 40, cpu: 25, threads: 1);
        Torch("1-infer-2.json", 30, cpu: 50, threads: 2);
        Torch("2-infer-1.json", 35, cpu: 26, threads: 1);
        Torch("2-infer-2.json", 60, cpu: 31, threads: 2);

        string[] lines = (await Page()).Split('\n');
        Assert.Contains("Load average of the last minute before each round and at the end: 0.50, 1.25.", lines);
        Assert.Contains("- ggml: it was not given", lines);
        Assert.Equal(
            [
                "|  | ours | PyTorch |",
                "| deit_tiny_patch16_224, inference, batch 8 | 12 (10 to 20), 100 ms | 50 (40 to 60), 28 ms |",
                "| deit_tiny_patch16_224, training, batch 8 | 3.5 (3.5 to 3.5) |  |",
                "|  | PyTorch |",
                "| deit_tiny_patch16_224, inference, batch 8 | 0.24 |",
                "| deit_tiny_patch16_224, training, batch 8 |  |",
                "|  | ours | PyTorch |",
                "| fc1, 788 x 3072 x 768 | 52 (51 to 53) | 125 (125 to 125) |",
                "| engine | version | threads, the fastest in a round |",
                "| ours | driver 2 | those of the driver |",
                "| PyTorch | PyTorch 2.9.1 | deit_tiny_patch16_224, inference, batch 8: 1 or 2 |",
            ],
            lines.Where(line => line.StartsWith("| ", StringComparison.Ordinal))
        );
    }

    private static OpRow Product(string kernel, double gigaFlops) => Reports.Product(gigaFlops, op: $"fc1 by {kernel}");

    private void Ours(int round, string part, params IBenchRow[] rows)
    {
        Directory.CreateDirectory(_folder["ours"]);
        File.WriteAllText(_folder[$"ours/{round}-{part}.json"], Reports.Of(rows).ToJson());
    }

    private void Torch(string file, double rate, double cpu, int threads)
    {
        Directory.CreateDirectory(_folder["pytorch"]);
        File.WriteAllText(
            _folder[$"pytorch/{file}"],
            FormattableString.Invariant(
                $$"""
                { "device": "a processor", "torch": "2.9.1", "rows": [
                    { "model": "deit_tiny_patch16_224", "task": "infer", "precision": "fp32", "batch": 8, "images_per_s": {{rate}},
                      "cpu_milliseconds_per_image": {{cpu}}, "threads": {{threads}} },
                    { "model": "deit_tiny_patch16_224", "task": "train", "precision": "fp32", "batch": 8, "error": "out of memory" } ],
                  "gemm": [ { "name": "fc1", "precision": "fp32", "m": 788, "n": 3072, "k": 768, "tflops": 0.125 } ] }
                """
            )
        );
    }

    private Task<string> Page() => PythonScript.Run("peers_page.py", _folder.Path);
}
