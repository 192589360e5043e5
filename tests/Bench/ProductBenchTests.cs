using Deit.Bench.Reports;
using Deit.Bench.Suites;
using Deit.Gpu;
using Deit.Model;
using Deit.Tests.Cli;
using Deit.Tests.Gpu;

namespace Deit.Tests.Bench;

public class ProductBenchTests
{
    [Fact]
    public void Every_kernel_of_every_arithmetic_has_a_row_that_names_it()
    {
        ProductBench.Product[] products = [new("wide", 40, 64, 16), new("deep", 16, 24, 128)];
        GpuDevice device = TestDevice.Current;
        string[] precisions = ["fp32", "fp16x3", "bf16x3"];
        List<string> progress = [];
        OpRow[] rows =
        [
            .. ProductBench
                .Run(device, products, precisions, new Pace(WarmUp: 0, Seconds: 0.01, Repetitions: 2), progress.Add)
                .Ops,
        ];
        foreach (string name in precisions)
        {
            Precision precision = Precision.Parse(name);
            if (Precision.For(device.Info, precision).Precision != precision)
            {
                Assert.DoesNotContain(rows, row => row.Precision == name);
                Assert.Contains(
                    progress,
                    line => line.Contains($"{name} falls back to fp32", StringComparison.Ordinal)
                );
                continue;
            }
            OpRow[] own = [.. rows.Where(row => row.Precision == name)];
            IReadOnlyList<string> kernels = MatMulOp.Candidates(
                device.Info,
                products[0].K,
                DType.F32,
                DType.F32,
                precision.Products
            );
            Assert.Equal(
                from product in products
                from kernel in kernels
                select $"{product.Name} by {kernel}",
                own.Select(row => row.Op)
            );
            Assert.Equal(1, own.Max(row => row.ShareOfBest));
            Assert.Equal(2.0 * 16 * 24 * 128, own.Last(row => row.Shape == "16 x 24 x 128").Flops);
            Assert.All(
                own,
                row =>
                    Assert.Equal(
                        row.Flops!.Value / row.Milliseconds / 1e6,
                        row.GigaFlopsPerSecond!.Value,
                        1e-9 * row.GigaFlopsPerSecond.Value
                    )
            );
        }
    }

    [Fact]
    public void A_precision_with_the_products_of_another_is_not_measured_again()
    {
        List<string> progress = [];
        BenchReport report = ProductBench.Run(
            TestDevice.Current,
            [new("small", 16, 16, 16)],
            ["fp16", "fp16-residual"],
            new Pace(WarmUp: 0, Seconds: 0.01, Repetitions: 2),
            progress.Add
        );
        Assert.All(report.Ops, row => Assert.Equal("fp16", row.Precision));
        Assert.Contains("fp16-residual is left out: its products are those of another of the precisions.", progress);
        Assert.DoesNotContain(
            ProductBench.DefaultPrecisions(TestDevice.Current),
            name => name.EndsWith("-residual", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void A_kernel_that_was_rejected_is_left_out()
    {
        // The same code makes and reads keys, so that every name of a precision is understood.
        foreach (
            (string name, string prefix) in ((string, string)[])
                [
                    ("fp32", "matmul f32 "),
                    ("fp16", "matmul f16 "),
                    ("bf16", "matmul bf16 "),
                    ("fp16-residual", "matmul f16 "),
                    ("bf16x3", "matmul bf16x3 "),
                    ("fp16x3", "matmul f16x3 "),
                ]
        )
        {
            Precision precision = Precision.Parse(name);
            Assert.Equal(prefix, MatMulOp.KeyPrefix(precision.Activations, precision.Activations, precision.Products));
        }
    }

    [Theory]
    [InlineData("--square", "-1")]
    [InlineData("--batch-size", "0")]
    public async Task What_cannot_be_measured_is_said_in_a_sentence(string flag, string value)
    {
        (int exitCode, _, string error) = await DeitProcess.Run("bench", "products", flag, value);
        Assert.Equal(2, exitCode);
        Assert.StartsWith($"deit: {flag} is {value}", error);
    }
}
