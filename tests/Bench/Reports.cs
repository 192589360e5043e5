using Deit.Bench.Reports;

namespace Deit.Tests.Bench;

/// <summary>Made-up measurements.</summary>
internal static class Reports
{
    public static BenchReport Of(params IBenchRow[] rows) =>
        new()
        {
            Device = "Card 1",
            Driver = "driver 2",
            Rows = rows,
        };

    public static ModelRow Model(
        double imagesPerSecond,
        double spread = 0,
        string model = "deit_tiny_patch16_224",
        string task = "infer",
        string precision = "fp32",
        int batch = 8
    ) =>
        new(
            model,
            task,
            precision,
            batch,
            imagesPerSecond,
            1000 * batch / imagesPerSecond,
            spread,
            0.5,
            0.25,
            1 << 20,
            12.5
        );

    /// <summary>A product of 1e9 operations and 1e7 bytes.</summary>
    public static OpRow Product(double gigaFlops, double spread = 0, string op = "fc1 forward") =>
        new(op, "788 x 3072 x 768", "fp32", 1000 / gigaFlops, spread, 1, gigaFlops, null, 1e9, 1e7);

    public static OpRow Copy(double gigaBytes, double bytes) =>
        new("copy", $"{bytes}", "fp32", bytes / gigaBytes / 1e6, 0, 1, null, gigaBytes, 0, bytes);

    /// <summary>An op of 1e6 operations and 1e7 bytes.</summary>
    public static OpRow Norm(double gigaBytes) =>
        new("layer norm <all>", "4 x 197 x 192", "fp32", 10 / gigaBytes, 0, 0.5, null, gigaBytes, 1e6, 1e7);
}
