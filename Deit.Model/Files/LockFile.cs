using System.Text.Json;

namespace Deit.Model.Files;

/// <summary>
/// A file that one process holds, and that names this process. The system releases it when the process ends, however it ends. A file
/// that a dead process left is taken over. Whoever held it last removes it.
/// </summary>
internal sealed class LockFile : IDisposable
{
    // EWOULDBLOCK on Linux and macOS; ERROR_SHARING_VIOLATION.
    private static readonly int[] InUse = [11, 35, unchecked((int)0x80070020)];

    // Windows keeps other processes from reading unless it is told otherwise; elsewhere a lock keeps them from locking only.
    private static readonly FileShare Sharing = OperatingSystem.IsWindows()
        ? FileShare.Read | FileShare.Delete
        : FileShare.None;

    private readonly FileStream _stream;
    private readonly LockHolder _self;

    private LockFile(string path, FileStream stream, LockHolder self) => (Path, _stream, _self) = (path, stream, self);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>
    /// Whether the file keeps others out. Some network file systems have no locks; then a second process is not noticed.
    /// </summary>
    public bool KeepsOthersOut { get; private init; }

    /// <summary>Whether the path still leads to this file: neither it nor its folder was removed, moved or replaced.</summary>
    public bool IsInPlace => LockHolder.Read(Path) is { } holder && holder.Token == _self.Token;

    /// <summary>Takes the lock.</summary>
    /// <param name="path">The file, in a folder that exists.</param>
    /// <param name="what">What it stands for, as <c>Run folder 'r'</c>, the start of the sentence where it is held.</param>
    /// <exception cref="InUseException">Another process holds it.</exception>
    /// <exception cref="DeitException">A file that is no lock has that name.</exception>
    /// <exception cref="IOException">The file cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The file cannot be made.</exception>
    public static LockFile Take(string path, string what)
    {
        if (TryTake(path, out LockHolder? holder) is { } taken)
            return taken;
        // A process that has just taken it writes its name a moment later.
        for (int attempt = 0; holder is null && attempt < 20; attempt++)
        {
            Thread.Sleep(10);
            holder = LockHolder.Read(path);
        }
        throw new InUseException(
            holder is null
                ? $"{what} is in use by another process; wait until it ends, or choose another folder."
                : $"{what} is in use by process {holder.Process} on host {holder.Host} ({holder.Command}, started "
                    + $"{holder.Start}); wait until it ends or stop it, or choose another folder."
        );
    }

    /// <summary>Takes the lock unless another process holds it.</summary>
    /// <param name="path">The file, in a folder that exists.</param>
    /// <param name="holder">Who holds it, where that can be read.</param>
    /// <param name="create">False takes only a file that is there.</param>
    /// <returns>The lock; null where it is held, or not there.</returns>
    /// <exception cref="DeitException">A file that is no lock has that name.</exception>
    public static LockFile? TryTake(string path, out LockHolder? holder, bool create = true)
    {
        while (true)
        {
            holder = null;
            FileStream stream;
            try
            {
                stream = Open(path, create ? FileMode.OpenOrCreate : FileMode.Open);
            }
            catch (FileNotFoundException) when (!create)
            {
                return null;
            }
            catch (IOException error) when (InUse.Contains(error.HResult))
            {
                holder = LockHolder.Read(path);
                return null;
            }
            LockHolder self = LockHolder.Self();
            bool ours = false;
            try
            {
                RequireOurs(path, stream);
                ours = true;
                if (stream.CanWrite)
                {
                    stream.SetLength(0);
                    JsonSerializer.Serialize(stream, self, LockJson.Default.LockHolder);
                    stream.Flush();
                }
                // Whoever held the file before may have removed it between its opening and its locking here.
                if (stream.CanWrite ? LockHolder.Read(path)?.Token == self.Token : File.Exists(path))
                    return new LockFile(path, stream, self) { KeepsOthersOut = !CanBeOpened(path) };
                stream.Dispose();
            }
            catch
            {
                // On a full disk the file is there, and nothing can be written into it.
                if (ours && LockHolder.Read(path) is null)
                    RemoveQuietly(path);
                stream.Dispose();
                throw;
            }
        }
    }

    /// <summary>Whether a file cannot be opened because another process holds it.</summary>
    /// <param name="error">The exception from opening it.</param>
    public static bool IsInUse(IOException error) => InUse.Contains(error.HResult);

    /// <summary>Whether a file that is held can be opened again: then the file system has no locks.</summary>
    /// <param name="path">The file; this process holds it.</param>
    public static bool CanBeOpened(string path)
    {
        try
        {
            using FileStream second = new(path, FileMode.Open, FileAccess.ReadWrite, Sharing, bufferSize: 0);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Gives the lock back and removes the file, unless another one has its name by now.</summary>
    public void Dispose() => Release(remove: true);

    /// <summary>Gives the lock back.</summary>
    /// <param name="remove">False leaves the file, for whoever takes it next.</param>
    public void Release(bool remove)
    {
        if (remove && _stream.SafeFileHandle is { IsClosed: false } && IsInPlace)
            RemoveQuietly(Path);
        _stream.Dispose();
    }

    private static void RemoveQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A file that nobody holds is in nobody's way.
        }
    }

    private static FileStream Open(string path, FileMode mode)
    {
        try
        {
            return new FileStream(path, mode, FileAccess.ReadWrite, Sharing, bufferSize: 0);
        }
        catch (UnauthorizedAccessException) when (File.Exists(path))
        {
            // A dead process of another user left it. It can be locked, though not be given a new name.
            return new FileStream(path, FileMode.Open, FileAccess.Read, Sharing, bufferSize: 0);
        }
    }

    private static void RequireOurs(string path, FileStream stream)
    {
        byte[] bytes = new byte[Math.Min(stream.Length, LockHolder.LongestFile)];
        stream.ReadExactly(bytes);
        stream.Position = 0;
        // A process that died before it wrote its name left an empty file, a machine without power one of zeros.
        if (bytes.Any(value => value != 0) && LockHolder.Parse(bytes) is null)
            throw new DeitException(
                DeitErrorKind.Output,
                $"'{path}' is no lock that this program wrote, though it has the name of one; move it elsewhere."
            );
    }
}
