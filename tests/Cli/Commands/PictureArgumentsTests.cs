using Deit.Cli.Commands;
using Deit.Tests.Train.Data.Formats;

namespace Deit.Tests.Cli.Commands;

public sealed class PictureArgumentsTests : IDisposable
{
    private const UnixFileMode Readable =
        UnixFileMode.UserRead
        | UnixFileMode.UserWrite
        | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead
        | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead
        | UnixFileMode.OtherExecute;
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _failed = [];
    private readonly List<string> _noticed = [];

    public PictureArgumentsTests()
    {
        foreach (
            string name in (string[])
                [
                    "b.png",
                    "a.png",
                    "notes.txt",
                    ".hidden.png",
                    "in/c.png",
                    "in/d.jpg",
                    "in/deeper/e.png",
                    "in/.secret/f.png",
                    "odd[1]?.png",
                ]
        )
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
            File.WriteAllBytes(_folder[name], DatasetAssert.Png(1));
        }
        Directory.CreateSymbolicLink(_folder["in/deeper/loop"], _folder["in"]);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("b.png a.png", "b.png a.png")]
    [InlineData("in", "in/c.png in/d.jpg")]
    [InlineData("*.png", "a.png b.png odd[1]?.png")]
    [InlineData("?.png", "a.png b.png")]
    [InlineData(".*.png", ".hidden.png")]
    [InlineData("in/*", "in/c.png in/d.jpg")]
    [InlineData("**/*.png", "a.png b.png in/c.png in/deeper/e.png odd[1]?.png")]
    [InlineData("in/**/*.png", "in/c.png in/deeper/e.png")]
    [InlineData("in/**", "in/c.png in/d.jpg in/deeper/e.png")]
    [InlineData("in/**/", "in/c.png in/d.jpg in/deeper/e.png")]
    [InlineData("in/*/", "in/deeper/e.png")]
    [InlineData("*/*.jpg", "in/d.jpg")]
    [InlineData("in/deeper/*/c.png", "in/deeper/loop/c.png")] // a link that is named is followed
    [InlineData("odd[1]?.png", "odd[1]?.png")] // a name that exists is no pattern
    [InlineData("missing.png", "missing.png")] // whoever reads it says that it is missing
    public void Arguments_name_pictures(string arguments, string pictures)
    {
        string[] found = Found(arguments.Split(' ').Select(argument => _folder[argument]));
        Assert.Equal(pictures.Split(' ').Select(picture => _folder[picture]), found);
        Assert.Empty(_failed);
    }

    [Fact]
    public void Folders_that_were_not_looked_into_are_counted_and_the_pattern_is_named()
    {
        Directory.CreateDirectory(_folder[".git"]);
        Assert.Equal(3, Found([_folder.Path]).Length);
        Directory.CreateDirectory(_folder["more"]);
        Found([_folder.Path]);
        Found([_folder["in/deeper/"]]);
        Found([_folder["in/**/*"], _folder["*.png"]]);
        Assert.Equal(
            [
                $"'{_folder.Path}' has 1 folder in it that was not looked into; give '{_folder["**/*"]}' for the pictures of all folders.",
                $"'{_folder.Path}' has 2 folders in it that were not looked into; "
                    + $"give '{_folder["**/*"]}' for the pictures of all folders.",
                $"'{_folder["in/deeper/"]}' has 1 folder in it that was not looked into; "
                    + $"give '{_folder["in/deeper/**/*"]}' for the pictures of all folders.",
            ],
            _noticed
        );
    }

    [Theory]
    [InlineData("*.gif", "matches no picture")]
    [InlineData("nowhere/*.png", "matches no picture")]
    [InlineData("in/.secret/../deeper/loop/../../in/*.x", "matches no picture")]
    public void A_pattern_without_pictures_is_told_and_the_others_follow(string pattern, string expected)
    {
        Assert.Equal([_folder["a.png"]], Found([_folder[pattern], _folder["a.png"]]));
        Assert.Contains(expected, Assert.Single(_failed), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_cannot_be_read_is_told_once_and_the_others_follow()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("The rights of a thread are Linux's.");
            return;
        }
        // The folder itself is made for its owner alone.
        File.SetUnixFileMode(_folder.Path, Readable);
        string[] found = [];
        File.SetUnixFileMode(_folder["in/deeper"], UnixFileMode.None);
        ThreadRights.WithoutPrivileges(() => found = Found([_folder["in/**/*"], _folder["a.png"]]));
        File.SetUnixFileMode(_folder["in/deeper"], Readable);
        Assert.Equal(((string[])["in/c.png", "in/d.jpg", "a.png"]).Select(name => _folder[name]), found);
        Assert.Contains(_folder["in/deeper"], Assert.Single(_failed), StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_has_an_argument_a_line_with_any_line_end()
    {
        File.WriteAllText(_folder["list"], $"{_folder["b.png"]}\r\n\n{_folder["in"]}\n{_folder["a.png"]}");
        Assert.Equal(
            ((string[])["a.png", "b.png", "in/c.png", "in/d.jpg", "a.png"]).Select(name => _folder[name]),
            All([_folder["a.png"]], _folder["list"])
        );
    }

    [Fact]
    public void Groups_are_full_but_for_the_last()
    {
        string[] names = [.. Enumerable.Range(0, 7).Select(i => $"{i}.png")];
        File.WriteAllLines(_folder["list"], names[2..]);
        Assert.Equal(names.Chunk(3), PictureArguments.Groups(names[..2], _folder["list"], 3, Fail, _noticed.Add));
    }

    [Fact]
    public void What_came_before_the_damage_of_a_list_is_answered()
    {
        File.WriteAllText(_folder["list"], "a.png\nb\0\n");
        List<string[]> groups = [];
        Assert.Throws<DeitException>(() =>
        {
            foreach (string[] group in PictureArguments.Groups([], _folder["list"], 64, Fail, _noticed.Add))
                groups.Add(group);
        });
        Assert.Equal(["a.png"], Assert.Single(groups));
    }

    [Fact]
    public void A_list_that_is_none_is_refused()
    {
        File.WriteAllText(_folder["list"], "a\0b");
        Assert.Contains(
            "zero byte",
            Assert.Throws<DeitException>(() => All([], _folder["list"])).Message,
            StringComparison.Ordinal
        );
        DeitException missing = Assert.Throws<DeitException>(() => All([], _folder["nothing"]));
        Assert.Equal(DeitErrorKind.Data, missing.Kind);
    }

    private string[] Found(IEnumerable<string> arguments) => All(arguments, null);

    private string[] All(IEnumerable<string> arguments, string? list) =>
        [.. PictureArguments.Groups(arguments, list, 2, Fail, _noticed.Add).SelectMany(group => group)];

    private void Fail(DeitException error) => _failed.Add(error.Message);
}
