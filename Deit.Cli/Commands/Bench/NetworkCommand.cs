using System.CommandLine;
using Deit.Bench.Reports;
using Deit.Bench.Suites;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Model;
using Deit.Train.Distributed;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench network</c>: the exchange of gradients between ranks.</summary>
internal static class NetworkCommand
{
    private const int MostRanks = 64;
    private static readonly int[] Predicted = [2, 4, 8, 64, 512];
    private static readonly string[] Default =
    [
        "deit_tiny_patch16_224",
        "deit_small_patch16_224",
        "deit_base_patch16_224",
    ];

    public static Command Create()
    {
        Option<string[]> models = new("--models")
        {
            Description = "models by name; without it Ti, S and B of 224 pixels",
            AllowMultipleArgumentsPerToken = true,
        };
        Option<int> rounds = new("--rounds")
        {
            Description = "exchanges of each model, of which the median counts",
            DefaultValueFactory = _ => 7,
        };
        Option<int> ranks = new("--ranks")
        {
            Description = "without a launcher: threads that exchange in the memory of this process",
            DefaultValueFactory = _ => 2,
        };
        ExplainedCommand command = new(
            "network",
            "Time the exchange of gradients between ranks, and tell what an update would cost at up to 512 ranks.",
            new Example(
                "mpirun -n 4 --bind-to none deit bench network",
                "Measures between four processes, wherever the launcher starts them."
            ),
            new Example("deit bench network --ranks 2", "Measures between threads of one process.")
        )
        {
            models,
            NumberOption.Strict(rounds),
            NumberOption.Strict(ranks),
        };
        command.SetAction(result =>
        {
            int threads = result.GetValue(ranks),
                times = result.GetValue(rounds);
            if (threads is < 2 or > MostRanks)
                throw new DeitException(DeitErrorKind.Usage, $"--ranks is {threads}, expected 2 to {MostRanks}.");
            if (times is < 1 or > 1000)
                throw new DeitException(DeitErrorKind.Usage, $"--rounds is {times}, expected 1 to 1000.");
            string[] names = result.GetValue(models) is { Length: > 0 } chosen ? chosen : Default;
            foreach (string name in names)
                _ = ParametersOf(name); // names are checked before anybody waits
            World? world = RankProcess.Join(World.DefaultTimeout);
            if (world is null)
                RankThreads.Run(threads, own => Run(own, names, times));
            else
                Run(world, names, times);
            RankProcess.Leave(ExitCode.Done);
            return ExitCode.Done;
        });
        return command;
    }

    // The running statistics of a batch norm have no gradient.
    private static int ParametersOf(string name) =>
        checked((int)NetworkFamilies.Find(name).Specs().Where(spec => !spec.Buffer).Sum(spec => spec.Shape.Elements));

    private static void Run(World world, string[] names, int rounds)
    {
        int hosts = world.GatherTexts(Environment.MachineName, "naming hosts").Distinct().Count();
        double small = NetworkBench.Measure(world, "", world.Size, rounds).Seconds;
        NetworkBench.Exchange[] exchanges =
        [
            .. names.Select(name => NetworkBench.Measure(world, name, ParametersOf(name), rounds)),
        ];
        if (world.IsFirst)
            Show(world, hosts, small, exchanges);
    }

    private static void Show(World world, int hosts, double small, NetworkBench.Exchange[] exchanges)
    {
        NetworkBench.Exchange largest = exchanges.MaxBy(one => one.Parameters)!;
        NetworkBench.Model model = NetworkBench.Model.Of(world.Size, small, largest.Seconds, 4.0 * largest.Parameters);
        Output.Line($"Ranks    {world.Size} on {hosts} host{(hosts > 1 ? "s" : "")} by {world.Carrier}");
        Output.Line(
            $"Network  {MarkdownTable.Number(1e6 * model.Latency)} us a message, "
                + $"{MarkdownTable.Number(model.Bandwidth / 1e9)} GB/s by {largest.Name}, sums included"
        );
        Output.Line();
        MarkdownTable measured = new(
            "model",
            "gradients, MB",
            "sent a rank, MB",
            "median ms",
            "least",
            "most",
            "model ms"
        );
        foreach (NetworkBench.Exchange one in exchanges)
            measured.Add(
                one.Name,
                MarkdownTable.Number(4e-6 * one.Parameters),
                MarkdownTable.Number(1e-6 * one.BytesSent),
                MarkdownTable.Number(1e3 * one.Seconds),
                MarkdownTable.Number(1e3 * one.Least),
                MarkdownTable.Number(1e3 * one.Most),
                MarkdownTable.Number(1e3 * model.Seconds(world.Size, 4.0 * one.Parameters))
            );
        Output.Text(measured.ToString());
        Output.Line();
        MarkdownTable predicted = new(["ms an update at", .. Predicted.Select(ranks => $"{ranks} ranks")]);
        foreach (NetworkBench.Exchange one in exchanges)
            predicted.Add([
                one.Name,
                .. Predicted.Select(ranks => MarkdownTable.Number(1e3 * model.Seconds(ranks, 4.0 * one.Parameters))),
            ]);
        Output.Text(predicted.ToString());
        Output.Line();
        Output.Line(
            "By 2 (N - 1) a + 2 (N - 1) / N S / b with the network's a and b above, which larger clusters may not keep."
        );
    }
}
