using System.Text;
using Deit.Model.Files;
using Deit.Train.Options;
using Deit.Train.Runs;

namespace Deit.Tests.Model.Files;

public sealed class SharedFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_reads_what_another_holds_and_every_end_of_a_line()
    {
        File.WriteAllText(_folder["text"], "one\r\nzwölf\n\nlast", Encoding.UTF8);
        using FileStream held = Hold("text");
        Assert.Equal(["one", "zwölf", "", "last"], SharedFile.ReadAllLines(_folder["text"]));
        Assert.Equal(held.Length, SharedFile.ReadAllBytes(_folder["text"]).Length);
    }

    /// <summary>A training that writes at this moment is watched all the same: neither is in the way of the other.</summary>
    [Fact]
    public void A_run_is_read_while_its_files_are_in_use()
    {
        TrainOptions options = new() { Schedule = new() { Epochs = 7 } };
        options.Save(_folder.Path);
        RunLog.Create(_folder.Path).Append(Row);
        using FileStream log = Hold("log.jsonl"),
            settings = Hold(TrainOptions.FileName);
        Assert.Equal(2.5, Assert.Single(RunLog.Watch(_folder.Path)).TrainLoss);
        Assert.Equal(7, TrainOptions.Load(_folder.Path).Schedule.Epochs);
    }

    private static LogRow Row =>
        new()
        {
            Epoch = 0,
            Step = 3,
            TrainLoss = 2.5,
            Lr = 0.1,
            ImagesPerSecond = 9,
            DataWait = 0,
            Seconds = 1,
        };

    // Windows has no way to read what is held alone; there the reader must allow what the holder does.
    private FileStream Hold(string name) =>
        new(
            _folder[name],
            FileMode.Open,
            FileAccess.ReadWrite,
            OperatingSystem.IsWindows() ? FileShare.ReadWrite | FileShare.Delete : FileShare.None
        );
}
