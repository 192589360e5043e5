using System.Text;
using Deit.Model.Files;

namespace Deit.Tests.Model.Files;

public sealed class LockFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => _folder["run.lock"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_held_lock_names_its_holder_and_changes_nothing()
    {
        using LockFile held = LockFile.Take(File, "Run folder 'r'");
        Assert.True(held.KeepsOthersOut);
        byte[] before = Posix.ReadLocked(File);
        InUseException error = Assert.Throws<InUseException>(() => LockFile.Take(File, "Run folder 'r'"));
        Assert.StartsWith(
            $"Run folder 'r' is in use by process {Environment.ProcessId} on host {Environment.MachineName} (",
            error.Message
        );
        Assert.Equal(before, Posix.ReadLocked(File));
        Assert.Contains("\"start\"", Encoding.UTF8.GetString(before));
    }

    [Fact]
    public void The_file_goes_away_and_one_that_was_left_is_taken_over()
    {
        LockFile.Take(File, "it").Dispose();
        Assert.Empty(_folder.Content);
        LockFile.Take(File, "it").Release(remove: false);
        Assert.Equal(["run.lock"], _folder.Content);
        LockFile.Take(File, "it").Dispose();
        System.IO.File.WriteAllBytes(File, []); // its process died before it wrote its name
        LockFile.Take(File, "it").Dispose();
        System.IO.File.WriteAllBytes(File, new byte[300]); // the machine lost power
        LockFile.Take(File, "it").Dispose();
        Assert.Empty(_folder.Content);
    }

    [Theory]
    [InlineData("my notes")]
    [InlineData("{}")]
    [InlineData("""{ "process": 1 }""")]
    [InlineData("[1]")]
    public void A_file_of_the_user_with_that_name_is_left_alone(string text)
    {
        System.IO.File.WriteAllText(File, text);
        DeitException error = Assert.Throws<DeitException>(() => LockFile.Take(File, "it"));
        Assert.Contains("is no lock", error.Message);
        Assert.Equal(text, System.IO.File.ReadAllText(File));
    }

    [Fact]
    public void It_tells_when_its_folder_went_away()
    {
        string folder = Directory.CreateDirectory(_folder["run"]).FullName,
            file = Path.Combine(folder, "run.lock");
        using LockFile held = LockFile.Take(file, "it");
        Assert.True(held.IsInPlace);
        Directory.Move(folder, _folder["moved"]);
        Assert.False(held.IsInPlace);
        Directory.CreateDirectory(folder);
        using LockFile other = LockFile.Take(file, "it");
        Assert.False(held.IsInPlace);
        Assert.True(other.IsInPlace);
        held.Dispose();
        Assert.True(other.IsInPlace, "the other's file was removed");
    }

    [Fact]
    public void Of_many_that_take_and_remove_it_one_has_it_at_a_time()
    {
        int holders = 0,
            taken = 0;
        Parallel.For(
            0,
            400,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            _ =>
            {
                using LockFile? held = LockFile.TryTake(File, out LockHolder? _);
                if (held is null)
                    return;
                Assert.Equal(1, Interlocked.Increment(ref holders));
                Interlocked.Increment(ref taken);
                Interlocked.Decrement(ref holders);
            }
        );
        Assert.True(taken > 0);
        Assert.Empty(_folder.Content);
    }
}
