using Deit.Bench.Reports;
using Deit.Bench.Suites;
using Deit.Gpu;
using Deit.Tests.Cli;
using Deit.Tests.Gpu;

namespace Deit.Tests.Bench;

public sealed class ProfileBenchTests
{
    [Fact]
    public void Blocks_are_summed_up_by_layer_and_kernel_from_the_median_of_each_dispatch()
    {
        Kernel product = new Kernel<int>("matmul"),
            norm = new Kernel<int>("layer_norm");
        Dispatch[] dispatches =
        [
            Of(product, "blocks.0.mlp.fc1: matmul", 2e6, 8),
            Of(norm, "blocks.0.norm1: layer_norm", 1, 1e6),
            Of(product, "blocks.11.mlp.fc1: matmul", 2e6, 8),
            Of(product, "teacher.blocks.1.mlp.fc1: matmul", 1, 8),
            Of(norm, "layer_norm", 0, 4e3),
        ];
        // The median of each: 3, 5, 2, 1 and 1 ms, whichever run it comes from.
        GraphProfile[] profiles =
        [
            .. (
                (double[][])
                    [
                        [3, 9, 2, 1, 1],
                        [1, 5, 1, 1, 1],
                        [7, 2, 90, 1, 1],
                    ]
            ).Select(ms => new GraphProfile(dispatches, [.. ms.Select(x => 1e6 * x)])),
        ];
        IReadOnlyList<ProfileBench.Row> rows = ProfileBench.Rows(profiles, gigaFlops: 1, gigaBytes: 0.5);
        Assert.Equal(
            [
                ("blocks.*.mlp.fc1", "matmul", 2, 5.0, 4e6, 4.0), // of operations
                ("blocks.*.norm1", "layer_norm", 1, 5.0, 1, 2.0), // of bytes
                ("teacher.blocks.*.mlp.fc1", "matmul", 1, 1.0, 1, 1.6e-5),
                ("", "layer_norm", 1, 1.0, 0, 8e-3),
            ],
            rows.Select(row =>
                (
                    row.Layer,
                    row.Kernel,
                    row.Dispatches,
                    Math.Round(row.Milliseconds, 9),
                    row.Flops,
                    Math.Round(row.FloorMilliseconds, 9)
                )
            )
        );

        static Dispatch Of(Kernel kernel, string label, double flops, double bytes) =>
            new(kernel, [], [], new WorkgroupCount(1), [], new Cost(flops, bytes), label);
    }

    [Fact]
    public void A_step_is_profiled_layer_by_layer()
    {
        GpuDevice device = TestDevice.Current;
        long before = device.AllocatedBytes;
        string[] lines = ProfileBench
            .Run(device, new ProfileOptions { Task = ModelRow.Infer, BatchSize = 1 })
            .Split('\n');
        Assert.Equal(before, device.AllocatedBytes);
        string[][] rows =
        [
            .. lines
                .Where(line => line.StartsWith("| ", StringComparison.Ordinal))
                .Select(line => line.Split('|', StringSplitOptions.TrimEntries)[1..^1]),
        ];
        Assert.Equal(["layer", "kernel", "runs", "ms"], rows[0][..4]);
        foreach (
            string layer in (string[])
                [
                    "patch_embed",
                    "blocks.*.norm1",
                    "blocks.*.attn.qkv",
                    "blocks.*.attn",
                    "blocks.*.attn.proj",
                    "blocks.*.norm2",
                    "blocks.*.mlp.fc1",
                    "blocks.*.mlp.fc2",
                    "norm",
                    "head",
                ]
        )
            Assert.Contains(rows, row => row[0] == layer);
        Assert.Contains(rows, row => row[0] == "blocks.*.attn" && row[2] == "12");
        string[] all = rows[^1];
        Assert.Equal("all", all[0]);
        Assert.Equal(rows[2..^1].Sum(row => int.Parse(row[2])), int.Parse(all[2]));
        Assert.True(double.Parse(all[3]) > 0);
    }

    [Theory]
    [InlineData("--model", "nope_patch16")]
    [InlineData("--batch-size", "4097")]
    public async Task Refuses_what_it_cannot_profile(string flag, string value)
    {
        (int code, _, string error) = await DeitProcess.Run("bench", "profile", flag, value);
        Assert.Equal(2, code);
        Assert.Contains(value, error);
        Assert.Single(error.Trim().Split('\n'));
    }
}
