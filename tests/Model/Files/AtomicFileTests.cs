using Deit.Model.Files;

namespace Deit.Tests.Model.Files;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Target => _folder.File("target");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Writes_new_files_and_replaces_old_ones()
    {
        AtomicFile.Write(Target, stream => stream.Write([1, 2, 3]));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(Target));
        AtomicFile.Write(Target, stream => stream.Write([4]), expectedBytes: 4096); // a generous guess leaves no trace
        Assert.Equal([4], File.ReadAllBytes(Target));
        Assert.Equal(["target"], _folder.Content);
    }

    [Fact]
    public void The_old_content_stands_until_the_end()
    {
        File.WriteAllText(Target, "old");
        AtomicFile.Write(
            Target,
            stream =>
            {
                stream.Write(new byte[1 << 20]);
                stream.Flush();
                Assert.Equal("old", File.ReadAllText(Target));
            }
        );
        Assert.Equal(1 << 20, new FileInfo(Target).Length);
    }

    public static TheoryData<Exception, bool> Failures =>
        new()
        {
            {
                new IOException(
                    "No space left on device",
                    OperatingSystem.IsWindows() ? unchecked((int)0x80070070) : 28
                ),
                true
            },
            { new IOException("Input/output error", 5), true },
            { new UnauthorizedAccessException("Access denied"), true },
            { new OperationCanceledException(), false },
            { new InvalidOperationException("a defect"), false },
        };

    [Theory, MemberData(nameof(Failures))]
    public void A_failure_midway_leaves_the_old_file_alone(Exception failure, bool explained)
    {
        File.WriteAllText(Target, "old");
        Exception error = Record(() =>
            AtomicFile.Write(
                Target,
                stream =>
                {
                    stream.Write(new byte[1 << 18]);
                    throw failure;
                }
            )
        )!;
        if (explained)
            Assert.Contains(Target, Assert.IsType<DeitException>(error).Message);
        else
            Assert.Same(failure, error);
        Assert.Equal("old", File.ReadAllText(Target));
        Assert.Equal(["target"], _folder.Content);
    }

    [Fact]
    public void A_full_disk_is_called_so_with_the_bytes_needed()
    {
        IOException full = new(
            "No space left on device",
            OperatingSystem.IsWindows() ? unchecked((int)0x80070070) : 28
        );
        DeitException error = Assert.Throws<DeitException>(() =>
            AtomicFile.Write(Target, _ => throw full, expectedBytes: 12345)
        );
        Assert.Contains("full", error.Message);
        Assert.Contains("12345", error.Message);
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void A_size_that_no_disk_holds_is_refused_before_writing()
    {
        DeitException error = Assert.Throws<DeitException>(() =>
            AtomicFile.Write(Target, _ => Assert.Fail("Writing began."), expectedBytes: 1L << 60)
        );
        Assert.Contains($"{1L << 60} bytes", error.Message);
        Assert.Contains("full", error.Message);
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void A_link_stays_a_link()
    {
        File.WriteAllText(_folder.File("real"), "old");
        File.CreateSymbolicLink(Target, _folder.File("real"));
        AtomicFile.Write(Target, stream => stream.Write("new"u8));
        Assert.NotNull(new FileInfo(Target).LinkTarget);
        Assert.Equal("new", File.ReadAllText(_folder.File("real")));
    }

    [Fact]
    public void A_file_without_a_folder_is_named()
    {
        string path = Path.Combine(_folder.Path, "no-such", "file");
        Assert.Contains(path, Assert.Throws<DeitException>(() => AtomicFile.Write(path, _ => { })).Message);
    }

    private static Exception? Record(Action action) => Xunit.Record.Exception(action);

    // A file that a container mounts cannot be renamed over, and an overlay may not rename at all: it gets the content.
    [Theory]
    [InlineData(16)]
    [InlineData(18)]
    public void Where_a_file_cannot_be_renamed_over_it_gets_the_content(int error)
    {
        string draft = _folder["draft"],
            target = _folder["target"];
        File.WriteAllText(target, "a longer text that was there before");
        File.WriteAllText(draft, "new");
        AtomicFile.Replace(draft, target, (_, _) => error);
        Assert.Equal("new", File.ReadAllText(target));
        Assert.Equal(["target"], _folder.Content);
    }
}
