using Deit.Model.Files;
using Deit.Tests.Train.Training;
using Deit.Train.Options;
using Deit.Train.Runs;

namespace Deit.Tests.Train.Runs;

public sealed class RunFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_second_training_is_refused_and_changes_nothing()
    {
        string data = TinyRun.WritePictures(_folder),
            run = _folder["run"];
        TrainOptions options = TinyRun.Options(data, run);
        Assert.Equal(130, TinyRun.Train(options, stopAfter: 4));
        // What a killed process leaves: the second may not even tidy it up while another has the folder.
        LockFile.Take(Path.Combine(run, $"last.tmp-{new string('a', 32)}.lock"), "it").Release(remove: false);
        Directory.CreateDirectory(Path.Combine(run, $"last.tmp-{new string('a', 32)}"));
        Directory.CreateDirectory(Path.Combine(run, "last.old"));
        using (RunFolder.Open(run))
        {
            string before = Content(run);
            Assert.Contains("in use by process", Assert.ThrowsAny<DeitException>(() => TinyRun.Resume(run)).Message);
            Assert.Contains("holds a run", Assert.Throws<DeitException>(() => TinyRun.Train(options)).Message);
            Assert.Equal(before, Content(run));
        }
        Assert.Equal(0, TinyRun.Resume(run));
        Assert.Equal(
            ["args.json", "best", "last", "last.old", "log.csv", "log.jsonl", "report.html"],
            Directory.EnumerateFileSystemEntries(run).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("last")]
    [InlineData("best")]
    [InlineData("best_ema")]
    [InlineData("log.csv")]
    [InlineData("log.jsonl")]
    [InlineData("report.html")]
    [InlineData("tensorboard")]
    [InlineData("run.lock")]
    public void Names_of_the_user_that_a_training_would_replace_are_refused(string name)
    {
        if (name.Contains('.'))
            File.WriteAllText(_folder[name], "mine");
        else
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(_folder[name]).FullName, "mine.txt"), "mine");
        string before = Content(_folder.Path);
        DeitException error = Assert.Throws<DeitException>(() => RunFolder.Create(_folder.Path));
        Assert.Contains(name, error.Message);
        Assert.Equal(before, Content(_folder.Path));
    }

    /// <summary>A run in a data folder would be a class of it.</summary>
    [Theory]
    [InlineData("dress/one.jpg", "dress")]
    [InlineData("train/dress/one.jpg", "train")]
    [InlineData("one.PNG", "one.PNG")]
    [InlineData("scan.tiff", "scan.tiff")]
    public void Folders_of_pictures_are_refused(string file, string named)
    {
        string data = TinyRun.WritePictures(_folder),
            output = _folder["clean"],
            path = Path.Combine(output, file);
        File.WriteAllText(
            Path.Combine(Directory.CreateDirectory(Path.GetDirectoryName(path)!).FullName, Path.GetFileName(path)),
            "mine"
        );
        DeitException error = Assert.Throws<DeitException>(() => TinyRun.Train(TinyRun.Options(data, output)));
        Assert.Equal(DeitErrorKind.Output, error.Kind);
        Assert.Contains($"holds '{named}' and no run", error.Message);
        Assert.Equal([path], Directory.EnumerateFiles(output, "*", SearchOption.AllDirectories));
        // The lock of a start that was killed makes none of them ours.
        LockFile.Take(Path.Combine(output, RunFolder.LockName), "it").Release(remove: false);
        Directory.CreateDirectory(Path.Combine(output, "last"));
        error = Assert.Throws<DeitException>(() => RunFolder.RequireFree(output));
        Assert.Contains($"holds '{named}' and no run", error.Message);
    }

    [Fact]
    public void Other_files_and_the_start_of_a_killed_process_are_no_hindrance()
    {
        File.WriteAllText(_folder["notes.txt"], "mine");
        RunFolder.Create(_folder.Path).Dispose();
        Assert.Equal(["notes.txt"], _folder.Content);
        LockFile.Take(_folder[RunFolder.LockName], "it").Release(remove: false);
        string draft = $"last.tmp-{new string('a', 32)}";
        foreach (string folder in (string[])["last", draft, ".git"])
            Directory.CreateDirectory(_folder[folder]);
        RunFolder.Create(_folder.Path).Dispose();
        Assert.Equal([".git", "last", draft, "notes.txt"], _folder.Content);
    }

    [Fact]
    public void Folders_that_a_failed_start_made_go_away_again()
    {
        RunFolder.Create(_folder["a/b/c"]).Dispose();
        Assert.Empty(_folder.Content);
        Directory.CreateDirectory(_folder["a"]);
        RunFolder.Create(_folder["a/b/c"]).Dispose();
        Assert.Equal(["a"], _folder.Content);
        RunFolder.Create(_folder["a"]).Dispose();
        Assert.Equal(["a"], _folder.Content);
    }

    /// <summary>Another training may take a number between the look and the step; a fault of the disk would meet every number.</summary>
    [Fact]
    public void A_number_that_another_training_took_is_passed_over_and_a_folder_that_cannot_be_had_is_an_error()
    {
        List<string> tried = [];
        List<IDisposable> others = [];
        using (
            RunFolder third = RunFolder.MakeUp(
                "data",
                path =>
                {
                    tried.Add(path);
                    if (tried.Count == 1)
                        others.Add(RunFolder.Create(path));
                    if (tried.Count == 2)
                        new TrainOptions().Save(Directory.CreateDirectory(path).FullName);
                },
                _folder["runs"]
            )
        )
            Assert.Equal(_folder["runs/data-3"], third.Path);
        others.ForEach(other => other.Dispose());
        Assert.Equal(3, tried.Count);

        Assert.Contains(
            RunFolder.LockName,
            Assert.Throws<DeitException>(() => RunFolder.MakeUp("shoes", Obstruct, _folder["runs"])).Message
        );

        void Obstruct(string path)
        {
            Assert.EndsWith("shoes-1", path, StringComparison.Ordinal);
            Directory.CreateDirectory(Path.Combine(path, RunFolder.LockName));
        }
    }

    [Fact]
    public void A_start_into_the_data_or_around_it_writes_nothing()
    {
        string data = TinyRun.WritePictures(_folder);
        string before = Content(_folder.Path);
        foreach (string output in (string[])[data, Path.Combine(data, "train", "run"), _folder.Path])
            Assert.Contains(
                "choose",
                Assert.Throws<DeitException>(() => TinyRun.Train(TinyRun.Options(data, output))).Message
            );
        Assert.Equal(before, Content(_folder.Path));
        Assert.Equal(130, TinyRun.Train(TinyRun.Options(data, Path.Combine(data, "runs", "one")), stopAfter: 1));
    }

    [Theory]
    [InlineData("removed")]
    [InlineData("moved")]
    [InlineData("replaced")]
    public void A_training_whose_folder_goes_away_ends_and_makes_nothing(string how)
    {
        string run = _folder["run"];
        RunFolder folder = RunFolder.Create(run);
        if (how == "removed")
            Directory.Delete(run, recursive: true);
        else
            Directory.Move(run, _folder["moved"]);
        using RunFolder? other = how == "replaced" ? RunFolder.Create(run) : null;
        Assert.Contains("removed, moved or replaced", Assert.Throws<DeitException>(folder.Require).Message);
        folder.Dispose();
        Assert.Equal(other is not null, Directory.Exists(run));
        other?.Require();
    }

    // Names, sizes and bytes of everything.
    private static string Content(string folder) =>
        string.Join(
            '\n',
            Directory
                .EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .Select(entry =>
                    Directory.Exists(entry)
                        ? entry
                        : $"{entry} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(Posix.ReadLocked(entry)))}"
                )
        );
}
