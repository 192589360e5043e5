using Deit.Bench.Reports;
using Deit.Bench.Suites;
using Deit.Tests.Gpu;
using Deit.Train.Reporting;

namespace Deit.Tests.Bench;

public sealed class PeerBenchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static ModelBenchOptions Options =>
        new()
        {
            EmbedDim = 32,
            Depth = 1,
            NumHeads = 1,
            PatchSize = 8,
            InputSize = 16,
            BatchSizes = [1, 2],
            WarmUp = 0,
            Seconds = 0.01,
            Repetitions = 1,
            Rounds = 3,
        };

    [Fact]
    public void Rounds_are_summed_up_by_their_medians()
    {
        BenchReport summary = PeerBench.Summary([
            Reports.Of(Reports.Model(100), Reports.Model(7, batch: 1)),
            Reports.Of(Reports.Model(80), Reports.Model(7, batch: 1)),
            Reports.Of(Reports.Model(110), Reports.Model(7, batch: 1)),
        ]);
        Assert.Equal(
            [(8, 100, 80, 0.3), (1, 7, 1000 / 7.0, 0)],
            summary.Models.Select(row => (row.Batch, row.ImagesPerSecond, row.Milliseconds, row.Spread))
        );
    }

    // A script in place of another program: it keeps its arguments and answers with a file.
    [Fact]
    public void Both_are_measured_in_turn_on_the_same_models()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows runs no shell scripts.");
        string name = Options.Configs(cpu: true)[0].Name;
        Report.WriteText(
            _folder["answer.json"],
            Reports.Of(Reports.Model(50, model: name, batch: 1), Reports.Model(60, model: name, batch: 2)).ToJson()
        );
        string peer = Script(
            $"echo \"$@\" >> '{_folder["asked"]}'; while [ $# -gt 1 ]; do shift; done; cp '{_folder["answer.json"]}' \"$1\"; echo noise"
        );
        List<string> said = [];
        (BenchReport ours, BenchReport theirs) = PeerBench.Run(
            TestDevice.Current,
            Options with
            {
                Peer = peer,
            },
            said.Add
        );
        Assert.Equal([50, 60], theirs.Models.Select(row => row.ImagesPerSecond));
        Assert.Equal([(name, 1), (name, 2)], ours.Models.Select(row => (row.Model, row.Batch)));
        string[] asked = File.ReadAllLines(_folder["asked"]);
        Assert.Equal(3, asked.Length);
        Assert.All(
            asked,
            line =>
                Assert.StartsWith(
                    "--embed-dim 32 --depth 1 --num-heads 1 --patch-size 8 --input-size 16 --batch-sizes 1 2 "
                        + "--warm-up 0 --seconds 0.01 --repetitions 1 --json ",
                    line
                )
        );
        Assert.Equal(
            ["Round 1 of 3", "Round 2 of 3", "Round 3 of 3"],
            said.Where(line => line.StartsWith("Round", StringComparison.Ordinal))
        );
        Assert.Equal(2, new BenchComparison(theirs, ours).Rows.Count);
    }

    [Fact]
    public void A_peer_that_fails_is_said()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows runs no shell scripts.");
        Refused(Options with { Peer = Script("exit 3") }, "exit code 3");
        Refused(Options with { Peer = Script("exit 0") }, "There is no file");
        Refused(Options with { Peer = _folder["nothing"] }, "cannot be started");
        Refused(Options with { Peer = Script("exit 0"), BatchSizes = [0] }, "name --batch-sizes");
        Assert.Contains(
            "--rounds is 0",
            Assert.Throws<DeitException>(() => (Options with { Rounds = 0 }).Validate()).Message
        );
    }

    private static void Refused(ModelBenchOptions options, string expected) =>
        Assert.Contains(
            expected,
            Assert
                .Throws<DeitException>(() => PeerBench.Run(TestDevice.Current, options with { Rounds = 1 }, _ => { }))
                .Message
        );

    private string Script(string body)
    {
        string path = _folder[$"{Guid.NewGuid():N}"];
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }
}
