using Deit.Model.Files;

namespace Deit.Tests.Model.Files;

public sealed class AtomicFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Target => _folder.File("last");

    public void Dispose() => _folder.Dispose();

    private static void Fill(string path, string text)
    {
        Directory.CreateDirectory(Path.Combine(path, "inner"));
        File.WriteAllText(Path.Combine(path, "a"), text);
        File.WriteAllText(Path.Combine(path, "inner", "b"), text);
    }

    private void IsWhole(string text, params string[] beside)
    {
        Assert.Equal(["last", .. beside], _folder.Content);
        Assert.Equal(text, File.ReadAllText(Path.Combine(Target, "a")));
        Assert.Equal(text, File.ReadAllText(Path.Combine(Target, "inner", "b")));
    }

    [Fact]
    public void Writes_new_folders_and_replaces_old_ones()
    {
        AtomicFolder.Write(Target, path => Fill(path, "1"));
        IsWhole("1");
        AtomicFolder.Write(Target + Path.DirectorySeparatorChar, path => Fill(path, "2"));
        IsWhole("2");
    }

    [Fact]
    public void A_failure_midway_leaves_the_old_folder_alone()
    {
        AtomicFolder.Write(Target, path => Fill(path, "1"));
        foreach (
            Exception failure in new Exception[]
            {
                new IOException("Input/output error", 5),
                new InvalidOperationException(),
            }
        )
        {
            Exception? error = Record.Exception(() =>
                AtomicFolder.Write(
                    Target,
                    path =>
                    {
                        File.WriteAllText(Path.Combine(path, "a"), "2");
                        throw failure;
                    }
                )
            );
            Assert.True(failure is IOException ? error is DeitException : error == failure);
            IsWhole("1");
        }
    }

    /// <summary>The folders that a kill between any two steps of a write leaves on disk.</summary>
    [Theory]
    [
        InlineData("filling", "1"),
        InlineData("filled", "1"),
        InlineData("names swapped", "2"),
        InlineData("old moved away", "1"),
        InlineData("new in place", "2"),
        InlineData("copying", "2")
    ]
    public void A_kill_at_any_moment_leaves_a_whole_folder(string moment, string expected)
    {
        const string Id = "0123456789abcdef0123456789abcdef";
        Fill(Target, "1");
        string temporary = $"{Target}.tmp-{Id}",
            old = $"{Target}.old-{Id}",
            whole = $"{Target}.new-{Id}";
        LeaveMarker($"{temporary}.lock");
        Fill(temporary, "2");
        if (moment == "filling")
            File.Delete(Path.Combine(temporary, "inner", "b"));
        if (moment == "names swapped")
        {
            Directory.Move(Target, old);
            Directory.Move(temporary, Target);
            Directory.Move(old, temporary);
        }
        if (moment is "old moved away" or "new in place")
            Directory.Move(Target, old);
        if (moment == "new in place")
            Directory.Move(temporary, Target);
        if (moment == "copying")
        {
            Directory.Move(temporary, whole);
            File.WriteAllText(Path.Combine(Target, "a"), "2");
            File.WriteAllText(Path.Combine(Target, "of an older version"), "1");
        }

        AtomicFolder.Recover(Target);
        IsWhole(expected);
        Assert.False(File.Exists(Path.Combine(Target, "of an older version")));
        AtomicFolder.Recover(Target);
        IsWhole(expected);
        AtomicFolder.Write(Target, path => Fill(path, "3"));
        IsWhole("3");
    }

    // Whoever has a copy of a folder beside it gives it a name like ours. Only the file beside a draft proves that it is ours.
    [Theory]
    [InlineData("last.old")]
    [InlineData("last.old-2")]
    [InlineData("last.new")]
    [InlineData("last.tmp-backup")]
    [InlineData("last.tmp-0123456789abcdef0123456789abcdef")]
    [InlineData("last.old-0123456789abcdef0123456789abcdef")]
    [InlineData("last.new-0123456789abcdef0123456789abcdef")]
    [InlineData("last2.tmp-0123456789abcdef0123456789abcdef")]
    public void Folders_of_the_user_stay(string name)
    {
        Fill(_folder[name], "mine");
        for (int write = 0; write < 2; write++)
        {
            AtomicFolder.Recover(Target);
            AtomicFolder.Write(Target, path => Fill(path, "1"));
        }
        Assert.Equal(((string[])["last", name]).Order(StringComparer.Ordinal), _folder.Content);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(_folder[name], "inner", "b")));
        AtomicFolder.Remove(Target);
        Assert.Equal([name], _folder.Content);
    }

    [Fact]
    public void A_file_that_only_has_the_name_of_a_marker_proves_nothing()
    {
        const string Draft = "last.tmp-0123456789abcdef0123456789abcdef";
        Fill(_folder[Draft], "mine");
        File.WriteAllText(_folder[$"{Draft}.lock"], "my notes");
        AtomicFolder.Write(Target, path => Fill(path, "1"));
        Assert.Equal(["last", Draft, $"{Draft}.lock"], _folder.Content);
        Assert.Equal("my notes", File.ReadAllText(_folder[$"{Draft}.lock"]));
    }

    [Fact]
    public void A_write_that_is_under_way_is_left_alone() =>
        AtomicFolder.Write(
            Target,
            path =>
            {
                AtomicFolder.Write(Target, other => Fill(other, "1"));
                AtomicFolder.Recover(Target);
                Fill(path, "2");
            }
        );

    // Renaming a folder of an overlay's lower layer, or one that is a mount point, fails; some file systems swap no names.
    [Theory]
    [InlineData(18)]
    [InlineData(16)]
    [InlineData(22)]
    [InlineData(38)]
    public void Where_folders_cannot_be_renamed_or_swapped_the_result_is_the_same(int error)
    {
        bool rename = error is 22 or 38;
        FolderRenames renames = new(
            (from, to) => from == Target && !rename ? error : Rename(from, to),
            (_, _) => error
        );
        Fill(Target, "0");
        File.WriteAllText(Path.Combine(Target, "further"), "0");
        Directory.CreateDirectory(Path.Combine(Target, "more"));
        foreach (string text in (string[])["1", "2"])
        {
            AtomicFolder.Write(Target, path => Fill(path, text), renames: renames);
            IsWhole(text);
            Assert.Equal(["a", "inner"], Directory.EnumerateFileSystemEntries(Target).Select(Path.GetFileName).Order());
        }

        static int Rename(string from, string to)
        {
            Directory.Move(from, to);
            return 0;
        }
    }

    [Fact]
    public void A_folder_that_went_away_is_not_made_again()
    {
        string run = _folder["run"],
            last = Path.Combine(run, "last");
        Directory.CreateDirectory(run);
        AtomicFolder.Write(last, path => Fill(path, "1"));
        Directory.Delete(run, recursive: true);
        Assert.Throws<DeitException>(() => AtomicFolder.Write(last, path => Fill(path, "2")));
        Directory.CreateDirectory(run);
        Assert.Throws<DeitException>(() =>
            AtomicFolder.Write(
                last,
                path =>
                {
                    Fill(path, "2");
                    Directory.Delete(run, recursive: true);
                }
            )
        );
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void Many_writers_at_once_leave_one_whole_folder()
    {
        string[] texts = [.. Enumerable.Range(0, 60).Select(i => $"{i}")];
        Parallel.ForEach(
            texts,
            new ParallelOptions { MaxDegreeOfParallelism = 6 },
            text => AtomicFolder.Write(Target, path => Fill(path, text), flush: false)
        );
        string last = File.ReadAllText(Path.Combine(Target, "a"));
        Assert.Contains(last, texts);
        IsWhole(last);
    }

    // Whoever reads RUN/best while a training replaces it finds the old or the new one.
    [Fact]
    public async Task A_reader_finds_a_folder_at_every_moment()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows swaps no names.");
        AtomicFolder.Write(Target, path => Fill(path, "0"), flush: false);
        using CancellationTokenSource end = new();
        Task<int> writer = Task.Run(
            () =>
            {
                int written = 0;
                for (; !end.IsCancellationRequested; written++)
                    AtomicFolder.Write(Target, path => Fill(path, "1"), flush: false);
                return written;
            },
            TestContext.Current.CancellationToken
        );
        int missing = 0;
        for (int read = 0; read < 20_000; read++)
            missing += Directory.Exists(Target) ? 0 : 1;
        await end.CancelAsync();
        Assert.True(await writer > 0);
        Assert.Equal(0, missing);
    }

    [Fact]
    public async Task A_reader_waits_for_a_folder_that_is_moved_away()
    {
        const string Id = "0123456789abcdef0123456789abcdef";
        Fill(_folder[$"last.old-{Id}"], "1");
        LeaveMarker(_folder[$"last.tmp-{Id}.lock"]);
        Task reader = Task.Run(() => AtomicFolder.AwaitReplacement(Target), TestContext.Current.CancellationToken);
        Assert.False(reader.IsCompleted);
        Directory.Move(_folder[$"last.old-{Id}"], Target);
        await reader;
        AtomicFolder.AwaitReplacement(_folder["missing"]);
        IsWhole("1", $"last.tmp-{Id}.lock");
    }

    [Fact]
    public void A_link_is_followed()
    {
        Directory.CreateDirectory(_folder["elsewhere"]);
        Fill(_folder["elsewhere/big"], "1");
        Directory.CreateSymbolicLink(Target, _folder["elsewhere/big"]);
        AtomicFolder.Write(Target, path => Fill(path, "2"));
        Assert.NotNull(new DirectoryInfo(Target).LinkTarget);
        Assert.Equal("2", File.ReadAllText(_folder["elsewhere/big/a"]));
        Assert.Equal(["big"], Directory.EnumerateDirectories(_folder["elsewhere"]).Select(Path.GetFileName));
    }

    [Fact]
    public void Recovery_leaves_everything_else_alone()
    {
        AtomicFolder.Recover(_folder.File("missing"));
        AtomicFolder.Recover(Path.Combine(_folder.Path, "no", "such"));
        Fill(Target, "1");
        AtomicFolder.Recover(Target);
        IsWhole("1");
    }

    private static void LeaveMarker(string path) => LockFile.Take(path, "a draft").Release(remove: false);
}
