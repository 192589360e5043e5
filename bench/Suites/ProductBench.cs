using System.Globalization;
using Deit.Bench.Reports;
using Deit.Gpu;
using Deit.Model;

namespace Deit.Bench.Suites;

/// <summary>
/// Times DeiT-B's forward products by every kernel that a device may choose from, in one table: which matrix units, which tile, or none.
/// A kernel whose result on noise is not the plain one's is left out.
/// </summary>
internal static class ProductBench
{
    private const int Tokens = 197,
        Dim = 768;

    private static readonly Pace Quick = new(WarmUp: 0.1, Seconds: 0.7, Repetitions: 7);

    /// <summary>c [M, N] = a [M, K] b [N, K]^T.</summary>
    internal sealed record Product(string Name, int M, int N, int K)
    {
        public string Shape => $"{M} x {N} x {K}";

        public double Flops => 2.0 * M * N * K;
    }

    /// <summary>Images of a batch where none is given.</summary>
    public static int DefaultBatch(GpuDevice device) => device.Info.Type == GpuType.Cpu ? 1 : BatchSearch.Cap;

    /// <summary>The side of the square product where none is given: what cards are compared by; on a CPU driver, which takes minutes for it, none.</summary>
    public static int DefaultSquare(GpuDevice device) => device.Info.Type == GpuType.Cpu ? 0 : 8192;

    /// <summary>The arithmetics where none are given: a card's all, and on a CPU driver those that gain by matrix units alone beside fp32.</summary>
    public static IReadOnlyList<string> DefaultPrecisions(GpuDevice device) =>
        [
            .. Precision
                .Names.Where(name =>
                    device.Info.Type != GpuType.Cpu
                    || Precision.For(device.Info, Precision.Parse(name)) is (var possible, null)
                        && possible.Name == name
                )
                .DistinctBy(name => Precision.Parse(name) with { Residual = DType.F32 }),
        ]; // the residual stream is no factor of a product

    /// <summary>Measures each of DeiT-B's products in each arithmetic by each kernel.</summary>
    /// <param name="device">The device.</param>
    /// <param name="batch">Images of a batch.</param>
    /// <param name="square">The side of a square product; 0 for none.</param>
    /// <param name="precisions">The arithmetics.</param>
    /// <param name="progress">Takes a line for what is measured and what is left out.</param>
    public static BenchReport Run(
        GpuDevice device,
        int batch,
        int square,
        IReadOnlyList<string> precisions,
        Action<string> progress
    )
    {
        int rows = batch * Tokens;
        List<Product> products =
        [
            new("qkv", rows, 3 * Dim, Dim),
            new("proj", rows, Dim, Dim),
            new("fc1", rows, 4 * Dim, Dim),
            new("fc2", rows, Dim, 4 * Dim),
        ];
        if (square > 0)
            products.Add(new Product("square", square, square, square));
        return Run(device, products, precisions, Quick, progress);
    }

    internal static BenchReport Run(
        GpuDevice device,
        IReadOnlyList<Product> products,
        IReadOnlyList<string> precisions,
        Pace pace,
        Action<string> progress
    )
    {
        List<OpRow> measured = [];
        HashSet<(DType, ProductArithmetic)> seen = [];
        foreach (string name in precisions)
        {
            (Precision precision, string? notice) = Precision.For(device.Info, Precision.Parse(name));
            if (notice is not null)
                progress($"Notice: {notice}");
            if (precision.Name != name)
                continue; // rows of fp32 by another name
            if (!seen.Add((precision.Activations, precision.Products)))
                progress($"{name} is left out: its products are those of another of the precisions.");
            else
                foreach (Product product in products)
                    measured.AddRange(Measure(device, product, precision, pace, progress));
        }
        // Of its own arithmetic: fp32 has not bf16's units.
        Dictionary<string, double> best = measured
            .GroupBy(row => row.Precision)
            .ToDictionary(group => group.Key, group => group.Max(row => row.GigaFlopsPerSecond!.Value));
        return BenchReport.Of(
            device,
            [.. measured.Select(row => row with { ShareOfBest = row.GigaFlopsPerSecond!.Value / best[row.Precision] })]
        );
    }

    private static List<OpRow> Measure(
        GpuDevice device,
        Product product,
        Precision precision,
        Pace pace,
        Action<string> progress
    )
    {
        List<OpRow> rows = [];
        DType type = precision.Activations;
        string prefix = MatMulOp.KeyPrefix(type, type, precision.Products);
        try
        {
            using OpsBench.Inputs noise = new(
                device,
                [product.M, product.K],
                [product.N, product.K],
                [product.M, product.N]
            );
            noise.Noise();
            using OpsBench.Inputs? copies = type == DType.F32 ? null : noise.In(type);
            OpsBench.Inputs t = copies ?? noise;
            // The choice for the shape compares results, and so finds what must not be measured.
            Timed(kernel: null).Dispose();
            foreach (string kernel in MatMulOp.Candidates(device.Info, product.K, type, type, precision.Products))
                if (
                    device.Choices.Rejected.FirstOrDefault(entry =>
                        entry.Key.StartsWith(prefix, StringComparison.Ordinal)
                        && entry.Key.EndsWith($": {kernel}", StringComparison.Ordinal)
                    ) is
                    { Key: { } key, Value: var why }
                )
                    progress($"{kernel} is left out, it was rejected for {key}: {why}");
                else
                {
                    using Graph graph = Timed(kernel);
                    Timing time = Timing.OfReplays(device, graph, pace).Replay;
                    rows.Add(
                        new OpRow(
                            $"{product.Name} by {kernel}",
                            product.Shape,
                            precision.Name,
                            time.Milliseconds,
                            time.Spread,
                            ShareOfBest: 0,
                            GigaFlopsPerSecond: product.Flops / time.Milliseconds / 1e6,
                            Flops: product.Flops
                        )
                    );
                    progress(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{rows[^1].Op}, {product.Shape} {precision.Name}: {rows[^1].GigaFlopsPerSecond:G3} GFLOP/s"
                        )
                    );
                }

            Graph Timed(string? kernel) =>
                device.Record(
                    r =>
                    {
                        using (r.Multiplying(precision.Products))
                            r.MatMulInto(t[2], t[0], t[1], false, true);
                    },
                    new GraphOptions
                    {
                        Purpose = $"measuring {product.Name}",
                        Forced = new ForcedChoices { Product = kernel },
                    }
                );
        }
        catch (GpuException error) when (BatchSearch.DoesNotFit(error))
        {
            progress($"{product.Name}, {product.Shape} {precision.Name} is left out: {error.Message}");
        }
        return rows;
    }
}
