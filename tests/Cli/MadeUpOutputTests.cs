using Deit.Tests.Train.Training;
using Deit.Train.Options;

namespace Deit.Tests.Cli;

/// <summary>A training without <c>--output</c>.</summary>
public sealed class MadeUpOutputTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public MadeUpOutputTests() => TinyRun.WritePictures(_folder);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Trainings_that_begin_at_once_get_folders_of_their_own()
    {
        // A file of that name is passed over, too.
        Directory.CreateDirectory(_folder["runs"]);
        File.WriteAllText(_folder["runs/data-1"], "mine");
        using DeitProcess first = Start("data"),
            second = Start("data/"),
            third = Start("./data/../data");
        foreach (DeitProcess process in (DeitProcess[])[first, second, third])
        {
            (int code, string output, string error) = await process.End();
            Assert.True(code == 0, output + error);
            Assert.Contains($"best model in {Path.Combine("runs", "data-")}", output, StringComparison.Ordinal);
        }
        Assert.Equal(
            ["data-1", "data-2", "data-3", "data-4"],
            Directory.EnumerateFileSystemEntries(_folder["runs"]).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Equal("mine", File.ReadAllText(_folder["runs/data-1"]));
        Assert.Equal(Path.Combine("runs", "data-3"), TrainOptions.Load(_folder["runs/data-3"]).Run.Output);
    }

    [Fact]
    public async Task A_training_that_cannot_begin_leaves_no_folder()
    {
        Directory.Delete(_folder["data/val"], recursive: true);
        Directory.CreateDirectory(_folder["data/val/unicorns"]);
        using DeitProcess process = Start("data");
        (int code, _, string error) = await process.End();
        Assert.Equal(3, code);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(Directory.Exists(_folder["runs"]) ? Directory.EnumerateFileSystemEntries(_folder["runs"]) : []);
    }

    [Fact]
    public async Task A_folder_inside_of_the_data_is_refused()
    {
        using DeitProcess process = DeitProcess.StartIn(_folder["data/train"], "\"$@\"", Arguments(".."));
        (int code, _, string error) = await process.End();
        Assert.Equal(7, code);
        Assert.Contains("lies in the data", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["data/train/runs"]));
    }

    /// <summary>An empty lock that stays would be taken for that of another training.</summary>
    [Fact]
    public async Task A_lock_that_cannot_be_written_leaves_no_folder()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The limit of the size of files is set by bash.");
        // The runtime asks for files in memory, which have the same limit.
        using DeitProcess process = DeitProcess.StartIn(
            _folder.Path,
            "trap '' XFSZ && ulimit -f 0 && exec \"$@\"",
            Arguments("data"),
            ("DOTNET_EnableWriteXorExecute", "0")
        );
        (int code, string output, _) = await process.End();
        Assert.True(code != 0, output);
        Assert.False(Directory.Exists(_folder["runs"]));
    }

    private DeitProcess Start(string data) => DeitProcess.StartIn(_folder.Path, "\"$@\"", Arguments(data));

    private static string[] Arguments(string data) =>
        [
            .. "train --recipe plain --embed-dim 32 --depth 1 --num-heads 2 --patch-size 8 --input-size 16".Split(' '),
            .. "--batch-size 8 --epochs 1 --warmup-epochs 0 --data".Split(' '),
            data,
        ];
}
