using System.CommandLine;
using Deit.Bench.Suites;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Train.Options;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench ops</c>: every op at the shapes of DeiT.</summary>
internal static class OpsCommand
{
    public static Command Create()
    {
        Option<int?> batch = BenchFlags.BatchSize("64, on a CPU driver 4");
        ExplainedCommand ops = new(
            "ops",
            "Time every op: ms, GFLOP/s or GB/s, and the share of the device's own measured best.",
            new Example("deit bench ops", "Shows a table."),
            new Example("deit bench ops --batch-size 64 --json ops.json", "Writes the rows too."),
            new Example("deit bench ops --output bench/results", "Adds the device to a folder of results.")
        )
        {
            batch,
        };
        OptionBinder<DeviceOptions> device = new(ops);
        BenchOutput output = new(ops);
        ops.SetAction(result =>
        {
            int? images = result.GetValue(batch);
            BenchFlags.CheckBatchSize(images);
            using GpuDevice gpu = CommandDevice.Open(device.Bind(result).Selector);
            output.Write(result, OpsBench.Run(gpu, images ?? OpsBench.DefaultBatch(gpu)));
            return 0;
        });
        return ops;
    }
}
