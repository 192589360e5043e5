using Deit.Bench.Reports;
using Deit.Bench.Suites;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Train.Distributed;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench train</c> over several ranks: processes of a launcher, or threads with a device each.</summary>
internal static class RankTable
{
    /// <summary>Measures and prints.</summary>
    /// <param name="world">The processes of a launcher; null for threads.</param>
    /// <param name="options">What to measure.</param>
    /// <param name="devices">Where ranks are threads, the device of each.</param>
    public static void Run(World? world, ModelBenchOptions options, IReadOnlyList<string> devices)
    {
        if (world is not null)
            Rank(world, options);
        else
            RankThreads.Run(
                devices.Count,
                own => Rank(own, options with { Device = options.Device with { Selector = devices[own.Rank] } })
            );
    }

    private static void Rank(World world, ModelBenchOptions options)
    {
        (GpuInfo device, IReadOnlyList<RankBench.Row> rows) = RankBench.Run(world, options, Output.Aside);
        string[] all = world.GatherTexts(
            $"{Environment.MachineName}: {device.Name} ({device.Driver})\n{device.Uuid}",
            "naming devices"
        );
        if (!world.IsFirst)
            return;
        Output.Line($"Ranks    {world.Size} by {world.Carrier}");
        foreach ((int rank, string name) in all.Index())
            Output.Line($"Rank {rank}   {name.Split('\n')[0]}");
        if (all.Distinct().Count() < all.Length)
            Output.Line("Note     ranks share a device: their efficiency says nothing on devices of their own");
        Output.Line();
        MarkdownTable table = new(
            "model",
            "arithmetic",
            "batch of a rank",
            "images/s of one",
            "of all",
            "efficiency",
            "ms an update",
            "spread",
            "exchange ms",
            "of it device idle",
            "share",
            "sent a rank, MB"
        );
        foreach (RankBench.Row row in rows)
            table.Add(Cells(row, world.Size));
        Output.Text(table.ToString());
    }

    private static string[] Cells(RankBench.Row row, int ranks)
    {
        double one = 1000 * row.Batch / row.One.Milliseconds,
            all = 1000.0 * row.Batch * ranks / row.All.Milliseconds;
        return
        [
            row.Model,
            row.Precision,
            $"{row.Batch}",
            MarkdownTable.Number(one),
            MarkdownTable.Number(all),
            MarkdownTable.Percent(all / (ranks * one)),
            MarkdownTable.Number(row.All.Milliseconds),
            MarkdownTable.Spread(row.All.Spread),
            MarkdownTable.Number(1e3 * row.Exchange.Seconds / row.Exchange.Updates),
            MarkdownTable.Number(1e3 * row.Exchange.WaitSeconds / row.Exchange.Updates),
            MarkdownTable.Percent(row.Exchange.Seconds / row.Exchange.OfSeconds),
            MarkdownTable.Number(1e-6 * row.Exchange.BytesSent / row.Exchange.Updates),
        ];
    }
}
