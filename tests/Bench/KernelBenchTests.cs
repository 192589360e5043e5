using Deit.Bench.Reports;
using Deit.Bench.Suites;
using Deit.Gpu;
using Deit.Tests.Gpu;

namespace Deit.Tests.Bench;

public sealed class KernelBenchTests
{
    private static readonly KernelBenchOptions Options = new()
    {
        Model = "deit_tiny_patch16_224",
        Task = ModelRow.Infer,
        Precisions = ["fp32"],
        BatchSize = 1,
    };

    [Fact]
    public void Every_kernel_of_a_step_is_compiled_once_on_a_device_that_runs_nothing()
    {
        GpuInfo info = TestDevice.Current.Info with { Unsuitable = "a test says so" };
        List<string> said = [];
        BenchReport report = KernelBench.Run(info, Options, said.Add);
        IReadOnlyList<KernelRow> rows = report.Compiled!;
        Assert.Equal(rows.Count, rows.Select(row => (row.Kernel, row.Constants)).Distinct().Count());
        Assert.All(rows, row => Assert.Null(row.Refusal));
        Assert.All(rows, row => Assert.Null(row.Milliseconds));
        Assert.All(rows, row => Assert.True(row.CompileMilliseconds > 0));
        foreach (string kernel in (string[])["layer_norm", "attention", "tokens", "patch_embed.unfold"])
            Assert.Contains(rows, row => row.Kernel.StartsWith(kernel, StringComparison.Ordinal));
        // The candidates of products: those that the planner names, each with the number of choices in which it is first.
        Assert.Contains(rows, row => row is { Candidate: not null, First: > 0 });
        Assert.All(rows, row => Assert.InRange(row.First, 0, row.Choices));
        Assert.Contains(said, line => line.Contains("compiling", StringComparison.Ordinal));
    }

    [Fact]
    public void An_arithmetic_that_the_device_lacks_is_refused_where_it_is_named()
    {
        GpuInfo info = TestDevice.Current.Info with
        {
            Unsuitable = "a test says so",
            Storage16 = false,
            MatrixShapes = [],
        };
        DeitException error = Assert.Throws<DeitException>(() =>
            KernelBench.Run(info, Options with { Precisions = ["bf16"] }, _ => { })
        );
        Assert.Contains("--precisions", error.Message);
    }
}
