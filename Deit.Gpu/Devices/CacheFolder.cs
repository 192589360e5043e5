using System.Runtime.InteropServices;

namespace Deit.Gpu;

/// <summary>
/// The folder where compiled pipelines and measured kernel choices of a device are kept between runs. It lies in
/// <c>DEIT_CACHE</c>, or in the user's cache folder. Where that cannot be written, as for the user of a container who has
/// no home, it lies in the system's folder for temporary files, and <see cref="Notice"/> says so.
/// </summary>
internal sealed partial record CacheFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private CacheFolder(string path, string? notice) => (Path, Notice) = (path, notice);

    /// <summary>The folder of a device under one build of its driver. It need not exist.</summary>
    public string Path { get; }

    /// <summary>A sentence where the folder is not the one that was meant; null where all is well.</summary>
    public string? Notice { get; }

    /// <summary>The folder of a device under one build of its driver.</summary>
    /// <param name="info">The device.</param>
    public static CacheFolder For(GpuInfo info)
    {
        string meant = Meant(),
            name = NameOf(info);
        if (IsWritable(meant))
            return new CacheFolder(System.IO.Path.Combine(meant, name), null);
        string problem = $"the cache folder '{meant}' cannot be written, so";
        const string Remedy = "set DEIT_CACHE to a folder that can be written and stays";
        return Temporary() is { } other
            ? new CacheFolder(
                System.IO.Path.Combine(other, name),
                $"{problem} compiled kernels are kept in '{other}'; {Remedy}"
            )
            : new CacheFolder(
                System.IO.Path.Combine(meant, name),
                $"{problem} every start compiles and measures all kernels anew; {Remedy}"
            );
    }

    /// <summary>The folder of all devices, as the environment has it, whether or not it can be written.</summary>
    public static string Place => Meant();

    /// <summary>Whether a folder can be made and written in.</summary>
    /// <param name="folder">The folder; it is made where it is missing.</param>
    public static bool CanBeWritten(string folder) => IsWritable(folder);

    /// <summary>Writes a file as a whole or not at all. A cache that cannot be written is no error.</summary>
    public static void TryWrite(string path, ReadOnlySpan<byte> data)
    {
        string temporary = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            File.WriteAllBytes(temporary, data);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            try
            {
                File.Delete(temporary);
            }
            catch (Exception inner) when (inner is IOException or UnauthorizedAccessException)
            {
                // The temporary file cannot be removed, and there is nothing more to clean up.
            }
        }
    }

    /// <summary>
    /// The name of a device's folder. A CPU driver has one UUID for all widths of its vectors, for which other kernels are
    /// the fastest.
    /// </summary>
    public static string NameOf(GpuInfo info) =>
        $"{info.Uuid}-{info.DriverUuid}"
        + (info.Type == GpuType.Cpu && info.SubgroupSize != 8 ? $"-{info.SubgroupSize}" : "");

    private static string Meant()
    {
        if (Environment.GetEnvironmentVariable("DEIT_CACHE") is { Length: > 0 } chosen)
            return chosen;
        if (OperatingSystem.IsWindows())
            return System.IO.Path.Combine(Home(Environment.SpecialFolder.LocalApplicationData), "deit");
        // The specification of XDG has relative paths ignored.
        string cache =
            Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { } given && System.IO.Path.IsPathRooted(given)
                ? given
                : System.IO.Path.Combine(Home(Environment.SpecialFolder.UserProfile), ".cache");
        return System.IO.Path.Combine(cache, "deit");
    }

    // Verified, a home that does not exist would be no path at all, and the cache would lie in the current folder. A user
    // without any home has a folder that cannot be written.
    private static string Home(Environment.SpecialFolder folder) =>
        Environment.GetFolderPath(folder, Environment.SpecialFolderOption.DoNotVerify) is { Length: > 0 } home
            ? home
            : System.IO.Path.Combine(System.IO.Path.GetPathRoot(AppContext.BaseDirectory)!, "nonexistent");

    // Permissions alone do not tell it: a file system may be mounted for reading only.
    private static bool IsWritable(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            string probe = System.IO.Path.Combine(folder, $".{Guid.NewGuid():N}");
            using FileStream file = new(
                probe,
                FileMode.CreateNew,
                FileAccess.Write,
                FileShare.None,
                1,
                FileOptions.DeleteOnClose
            );
            return true;
        }
        catch (Exception error)
            when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    // Everybody may write in the system's temporary folder. A folder there is taken only where nobody but this user can
    // have filled it: it is no link, and no other user may enter it. root can enter all folders, so it gets none.
    private static string? Temporary()
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                string own = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "deit");
                return IsWritable(own) ? own : null;
            }
            uint user = EffectiveUser();
            if (user == 0)
                return null;
            DirectoryInfo folder = new(System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"deit-{user}"));
            if (!folder.Exists)
                Directory.CreateDirectory(folder.FullName, OwnerOnly);
            folder.Refresh();
            bool isOwn = folder is { Exists: true, LinkTarget: null, UnixFileMode: OwnerOnly };
            return isOwn && IsWritable(folder.FullName) ? folder.FullName : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
