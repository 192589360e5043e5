using Deit.Model;
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

    private void IsWhole(string text)
    {
        Assert.Equal(["last"], _folder.Content);
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
        InlineData("old moved away", "1"),
        InlineData("new in place", "2")
    ]
    public void A_kill_at_any_moment_leaves_a_whole_folder(string moment, string expected)
    {
        Fill(Target, "1");
        string temporary = Target + ".tmp-0123";
        Fill(temporary, "2");
        if (moment == "filling")
            File.Delete(Path.Combine(temporary, "inner", "b"));
        if (moment is "old moved away" or "new in place")
            Directory.Move(Target, Target + ".old");
        if (moment == "new in place")
            Directory.Move(temporary, Target);

        AtomicFolder.Recover(Target);
        IsWhole(expected);
        AtomicFolder.Recover(Target);
        IsWhole(expected);
        AtomicFolder.Write(Target, path => Fill(path, "3"));
        IsWhole("3");
    }

    [Fact]
    public void Recovery_leaves_everything_else_alone()
    {
        AtomicFolder.Recover(_folder.File("missing"));
        AtomicFolder.Recover(Path.Combine(_folder.Path, "no", "such"));
        Directory.CreateDirectory(_folder.File("last2.tmp-1"));
        Directory.CreateDirectory(_folder.File("last2.old"));
        Fill(Target, "1");
        AtomicFolder.Recover(Target);
        Assert.Equal(["last", "last2.old", "last2.tmp-1"], _folder.Content);
    }
}
