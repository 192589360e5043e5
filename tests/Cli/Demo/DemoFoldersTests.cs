using Deit.Cli.Demo;
using Deit.Train.Runs;

namespace Deit.Tests.Cli.Demo;

public sealed class DemoFoldersTests : IDisposable
{
    private static readonly DemoDataset Few = new()
    {
        TrainImagesPerClass = 1,
        ValImagesPerClass = 1,
        Size = 16,
    };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("data/cats/photo.jpg")]
    [InlineData("data/photo.jpg")]
    [InlineData("data/train/circle/0000.png")]
    [InlineData("data/train/cats/0000.png")]
    [InlineData("data")]
    [InlineData("run/notes.txt")]
    [InlineData("run/args.json")]
    [InlineData("run/last/model.safetensors")]
    [InlineData("run")]
    public void Files_that_no_demo_wrote_are_refused_and_stay(string file)
    {
        Write(file);
        DeitException error = Assert.Throws<DeitException>(() => DemoFolders.Take(_folder.Path));
        Assert.Contains("no demo made", error.Message);
        Assert.Equal("mine", File.ReadAllText(_folder[file]));
        Assert.Equal([file.Split('/')[0]], _folder.Content);
    }

    [Fact]
    public void A_demo_is_not_put_among_the_classes_of_a_data_folder()
    {
        Write("dress/one.jpg");
        Assert.Contains(
            "holds pictures in 'dress'",
            Assert.Throws<DeitException>(() => DemoFolders.Take(_folder.Path)).Message
        );
        Assert.Equal(["dress"], _folder.Content);
    }

    [Theory]
    [InlineData("data/train/circle/mine.png")]
    [InlineData("data/train/circle/00000.png")]
    [InlineData("data/test/0000.png")]
    [InlineData("data/mine.txt")]
    [InlineData("run/mine.txt")]
    [InlineData("run/last/mine.txt")]
    [InlineData("run/best.old/model.safetensors")]
    [InlineData("run/last.tmp")]
    [InlineData("run/last")]
    public void So_are_files_that_were_put_into_a_demo(string file)
    {
        Make();
        Write(file);
        DeitException error = Assert.Throws<DeitException>(() => DemoFolders.Take(_folder.Path));
        Assert.Contains($"'{file[(file.IndexOf('/') + 1)..]}', which no demo made", error.Message);
        Assert.Equal("mine", File.ReadAllText(_folder[file]));
    }

    [Fact]
    public void A_file_that_comes_while_the_pictures_are_drawn_stays()
    {
        Make();
        using DemoFolders folders = DemoFolders.Take(_folder.Path);
        Write("data/mine.txt");
        Assert.Throws<DeitException>(() => folders.Replace(Few));
        Assert.Equal("mine", File.ReadAllText(_folder["data/mine.txt"]));
    }

    [Fact]
    public void Links_are_neither_followed_nor_replaced()
    {
        Directory.CreateDirectory(_folder["project"]);
        foreach (string name in (string[])["data", "run"])
        {
            Write("pictures/train/circle/0000.png");
            Directory.CreateSymbolicLink(_folder[$"project/{name}"], _folder["pictures"]);
            Assert.Contains(
                "a link that no demo made",
                Assert.Throws<DeitException>(() => DemoFolders.Take(_folder["project"])).Message
            );
            Directory.Delete(_folder[$"project/{name}"]);
        }
        Make();
        Directory.Delete(_folder["data/train/circle"], recursive: true);
        Directory.CreateSymbolicLink(_folder["data/train/circle"], _folder["pictures/train/circle"]);
        Assert.Throws<DeitException>(() => DemoFolders.Take(_folder.Path));
        Assert.Equal("mine", File.ReadAllText(_folder["pictures/train/circle/0000.png"]));
    }

    [Fact]
    public void A_demo_is_replaced_with_the_results_in_it()
    {
        Make();
        foreach (
            string file in (string[])
                [
                    "run/args.json",
                    "run/log.csv",
                    "run/last/state.json",
                    "run/best/model.safetensors",
                    "run/best-val/eval.json",
                    "run/log.csv.tmp-0123456789abcdef0123456789abcdef",
                ]
        )
            Write(file);
        Make();
        Assert.Equal(["data", "run"], _folder.Content);
        Assert.Equal([".deit-demo"], Directory.EnumerateFileSystemEntries(_folder["run"]).Select(Path.GetFileName));
    }

    [Fact]
    public void Pictures_of_an_earlier_version_are_known_without_a_marker()
    {
        new DemoDataset { Size = 16 }.Write(_folder["data"], TestContext.Current.CancellationToken);
        DemoFolders.Take(_folder.Path).Dispose();
        File.Delete(_folder["data/val/ring/0029.png"]);
        Assert.Throws<DeitException>(() => DemoFolders.Take(_folder.Path));
    }

    [Fact]
    public void Two_demos_and_a_demo_that_is_trained_are_kept_apart()
    {
        Make();
        using (DemoFolders.Take(_folder.Path))
            Assert.Contains("in use by process", Assert.ThrowsAny<DeitException>(Take).Message);
        using (RunFolder.Open(_folder["run"]))
            Assert.Contains("in use by process", Assert.ThrowsAny<DeitException>(Take).Message);
        Take();

        void Take() => DemoFolders.Take(_folder.Path).Dispose();
    }

    private void Make()
    {
        using DemoFolders folders = DemoFolders.Take(_folder.Path);
        folders.Replace(Few);
    }

    private void Write(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[file])!);
        File.WriteAllText(_folder[file], "mine");
    }
}
