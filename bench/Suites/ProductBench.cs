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

    /// <summary>
    /// The side of the square product where none is given. Cards are compared by this product; a CPU driver takes minutes for it and
    /// gets none.
    /// </summary>
    public static int DefaultSquare(GpuDevice device) => device.Info.Type == GpuType.Cpu ? 0 : 8192;

    /// <summary>
    /// The arithmetics where none are given: all of a card; on a CPU driver fp32 and those of its matrix units.
    /// </summary>
    public static IReadOnlyList<string> DefaultPrecisions(GpuDevice device) =>
        [
            .. Precision
                .Names.Where(name =>
                    device.Info.Type != GpuType.Cpu
                    || Precision.For(device.Info, Precision.Parse(name)) is (var possible, null)
                        && possible.Name == name
                )
                // The residual stream is no factor of a product.
                .DistinctBy(name => Precision.Parse(name) with { Residual = DType.F32 }),
        ];

    /// <summary>Measures each of DeiT-B's products in each arithmetic by each kernel.</summary>
    /// <param name="device">The device.</param>
    /// <param name="batch">Images of a batch.</param>
    /// <param name="square">The side of a square product; 0 for none.</param>
    /// <param name="precisions">The arithmetics.</param>
    /// <param name="progress">Takes a line for each row that is measured, and for each kernel that is left out.</param>
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
                continue; // they would be rows of fp32 by another name
            if (!seen.Add((precision.Activations, precision.Products)))
                progress($"{name} is left out: its products are those of another of the precisions.");
            else
                foreach (Product product in products)
                    measured.AddRange(Measure(device, product, precision, pace, progress));
        }
        // Each arithmetic has a best of its own: fp32 does not run on the units of bf16.
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
        try
        {
            using BenchInputs noise = new(
                device,
                [product.M, product.K],
                [product.N, product.K],
                [product.M, product.N]
            );
            noise.Noise();
            using BenchInputs? copies = type == DType.F32 ? null : noise.In(type);
            BenchInputs inputs = copies ?? noise;
            // b is a weight that does not change, as in inference: a kernel that reads it in another order has it so already.
            using FixedWeights weights = device.CreateFixedWeights(inputs[1]);
            // The device chooses a kernel for the shape, compares results for that, and so finds the kernels that must not be measured.
            Record(device, product, precision, inputs, weights, kernel: null).Dispose();
            foreach (string kernel in MatMulOp.Candidates(device.Info, product.K, type, type, precision.Products))
            {
                if (Rejection(device, precision, kernel) is { } why)
                {
                    progress($"{kernel} is left out, it was rejected for {why}");
                    continue;
                }
                using Graph graph = Record(device, product, precision, inputs, weights, kernel);
                OpRow row = Row(product, precision, kernel, Timing.OfReplays(device, graph, pace).Replay);
                rows.Add(row);
                progress(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{row.Op}, {product.Shape} {precision.Name}: {row.GigaFlopsPerSecond:G3} GFLOP/s"
                    )
                );
            }
        }
        catch (GpuException error) when (BatchSearch.DoesNotFit(error))
        {
            progress($"{product.Name}, {product.Shape} {precision.Name} is left out: {error.Message}");
        }
        return rows;
    }

    // The shape for which the device rejected a kernel, and the reason.
    private static string? Rejection(GpuDevice device, Precision precision, string kernel)
    {
        DType type = precision.Activations;
        string prefix = MatMulOp.KeyPrefix(type, type, precision.Products);
        return
            device.Choices.Rejected.FirstOrDefault(entry =>
                entry.Key.StartsWith(prefix, StringComparison.Ordinal)
                && entry.Key.EndsWith($": {kernel}", StringComparison.Ordinal)
            )
                is { Key: { } key, Value: var why }
            ? $"{key}: {why}"
            : null;
    }

    private static Graph Record(
        GpuDevice device,
        Product product,
        Precision precision,
        BenchInputs t,
        FixedWeights weights,
        string? kernel
    ) =>
        device.Record(
            r =>
            {
                using (r.Multiplying(precision.Products))
                    r.MatMulInto(t[2], t[0], t[1], false, true);
            },
            new GraphOptions
            {
                Purpose = $"measuring {product.Name}",
                Fixed = weights,
                Forced = new ForcedChoices { Product = kernel },
            }
        );

    private static OpRow Row(Product product, Precision precision, string kernel, Timing time) =>
        new(
            $"{product.Name} by {kernel}",
            product.Shape,
            precision.Name,
            time.Milliseconds,
            time.Spread,
            ShareOfBest: 0,
            GigaFlopsPerSecond: product.Flops / time.Milliseconds / 1e6,
            Flops: product.Flops
        );
}
