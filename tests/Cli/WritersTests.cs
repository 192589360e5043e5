using Deit.Model;
using Deit.Tests.Train.Training;
using Deit.Train.Options;
using Deit.Train.Runs;

namespace Deit.Tests.Cli;

/// <summary>Two commands that write into one folder at the same time.</summary>
public sealed class WritersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data,
        _model;

    public WritersTests()
    {
        _data = TinyRun.WritePictures(_folder);
        _model = _folder["model"];
        TinyRun.WriteModel(_model, TinyRun.Config, Deit.Cli.Demo.DemoDataset.Classes);
    }

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Pairs()
    {
        string[] writers = ["train", "resume", "convert", "eval", "demo"];
        TheoryData<string, string> pairs = [];
        // A demo takes long: beside others it belongs to the long test of a release.
        bool all = Environment.GetEnvironmentVariable("DEIT_LONG") == "1";
        for (int i = 0; i < writers.Length; i++)
        for (int j = i; j < writers.Length; j++)
            if (all || i == j || writers[j] != "demo")
                pairs.Add(writers[i], writers[j]);
        return pairs;
    }

    // None ends with an exception, and what lies in the folder then is whole, without anything temporary.
    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Every_pair_of_writers_leaves_one_valid_result(string first, string second)
    {
        string folder = _folder["out/it"];
        Directory.CreateDirectory(_folder["out"]);
        if (first == "resume" || second == "resume")
            Assert.Equal(130, TinyRun.Train(TinyRun.Options(_data, folder), stopAfter: 1));
        string[] arguments1 = Arguments(first, folder),
            arguments2 = Arguments(second, folder);
        using DeitProcess one = DeitProcess.Start(arguments1),
            other = DeitProcess.Start(arguments2);
        (int Code, string Output, string Error)[] ends =
        [
            await End(one, first, folder),
            await End(other, second, folder),
        ];
        foreach ((int code, _, string error) in ends)
        {
            Assert.True(code is 0 or 7 or 143, $"{first}, {second}: exit code {code}: {error}");
            string[] lines = [.. error.Split('\n').Where(line => line.StartsWith("deit: ", StringComparison.Ordinal))];
            Assert.Equal(code == 7 ? 1 : 0, lines.Length);
        }
        Assert.Contains(ends, end => end.Code is 0 or 143);
        if (first == second && first is not ("convert" or "eval"))
            Assert.Contains("in use by process", string.Concat(ends.Select(end => end.Error)) + Overtaken(ends));
        RequireWhole(folder);
    }

    private string[] Arguments(string writer, string folder) =>
        writer switch
        {
            "train" =>
            [
                .. "train --recipe plain --embed-dim 32 --depth 2 --num-heads 2 --patch-size 8 --input-size 32".Split(
                    ' '
                ),
                .. "--batch-size 8 --epochs 2 --warmup-epochs 0 --data".Split(' '),
                _data,
                "--output",
                folder,
            ],
            "resume" => ["train", "--resume", folder],
            "convert" => ["convert", _model, folder, "--overwrite"],
            "eval" => ["eval", "--model", _model, "--data", _data, "--output", folder],
            _ => ["demo", "--output", folder, "--epochs", "1"],
        };

    // A demo takes long: it is ended in its training, once its pictures are there.
    private static async Task<(int, string, string)> End(DeitProcess process, string writer, string folder)
    {
        Task<(int, string, string)> end = process.End();
        if (writer == "demo")
        {
            while (!end.IsCompleted && !File.Exists(Path.Combine(folder, "run", TrainOptions.FileName)))
                await Task.WhenAny(end, Task.Delay(20, TestContext.Current.CancellationToken));
            if (!end.IsCompleted)
                process.Kill(DeitProcess.Terminate);
        }
        return await end;
    }

    // The second of two that are started at once may come when the first has ended: then both are right.
    private static string Overtaken((int Code, string Output, string Error)[] ends) =>
        ends.All(end => end.Code != 1) || ends.Any(end => end.Error.Contains("holds a run", StringComparison.Ordinal))
            ? "in use by process"
            : "";

    private void RequireWhole(string folder)
    {
        Assert.Equal(["it"], Directory.EnumerateFileSystemEntries(_folder["out"]).Select(Path.GetFileName));
        string[] temporary =
        [
            .. Directory
                .EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories)
                .Where(entry =>
                    entry.EndsWith(".lock", StringComparison.Ordinal)
                    || entry.Contains(".tmp-", StringComparison.Ordinal)
                    || entry.Contains(".old-", StringComparison.Ordinal)
                ),
        ];
        Assert.Empty(temporary);
        foreach (string run in (string[])[folder, Path.Combine(folder, "run")])
            if (File.Exists(Path.Combine(run, TrainOptions.FileName)))
            {
                Assert.True(new RunCheckpoint(run).ReadState().Step >= 0);
                using ModelSource last = ModelSource.Open(Path.Combine(run, "last"));
                Assert.NotEmpty(last.Weights.Shapes);
            }
        if (File.Exists(Path.Combine(folder, "config.json")))
        {
            using ModelSource model = ModelSource.Open(folder);
            Assert.NotEmpty(model.Weights.Shapes);
        }
    }
}
