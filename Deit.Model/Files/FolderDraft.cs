using System.Buffers;

namespace Deit.Model.Files;

/// <summary>
/// A folder that is to take the place of another, and the file beside it that proves whose it is. Three names belong to one write:
/// <c>NAME.tmp-ID</c> is being filled, or is the old folder after names were swapped; <c>NAME.old-ID</c> is the old folder where names
/// cannot be swapped; <c>NAME.new-ID</c> is whole and is being copied where the old folder cannot be renamed.
/// </summary>
internal sealed class FolderDraft : IDisposable
{
    private const string Temporary = ".tmp-",
        Old = ".old-",
        New = ".new-",
        Lock = ".lock";
    private const int IdLength = 32;
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private readonly string _target,
        _id;
    private readonly FolderRenames _renames;
    private readonly ExitGuard _guard;
    private LockFile? _marker;

    private FolderDraft(string target, string id, FolderRenames renames, LockFile? marker)
    {
        (_target, _id, _renames, _marker) = (target, id, renames, marker);
        _guard = new ExitGuard(Tidy);
    }

    /// <summary>The folder to fill.</summary>
    public string Path => _target + Temporary + _id;

    /// <summary>Makes the folder.</summary>
    /// <param name="target">Its place to be, a real path.</param>
    /// <param name="renames">How folders get other names.</param>
    /// <exception cref="IOException">It cannot be made, as where the folder that it lies in is gone.</exception>
    public static FolderDraft Begin(string target, FolderRenames renames)
    {
        string id = Guid.NewGuid().ToString("N");
        FolderDraft draft = new(target, id, renames, marker: null);
        try
        {
            draft._guard.Do(() =>
            {
                draft._marker = LockFile.Take(target + Temporary + id + Lock, $"'{target}'");
                if (OperatingSystem.IsWindows())
                    Directory.CreateDirectory(draft.Path);
                else
                    Posix.MakeFolder(draft.Path);
            });
            return draft;
        }
        catch
        {
            draft.Dispose();
            throw;
        }
    }

    /// <summary>The files beside a folder that name its drafts.</summary>
    /// <param name="target">The folder, a real path.</param>
    public static string[] Markers(string target)
    {
        string start = System.IO.Path.GetFileName(target) + Temporary;
        return
        [
            .. Directory
                .EnumerateFiles(System.IO.Path.GetDirectoryName(target)!)
                .Where(file =>
                    System.IO.Path.GetFileName(file) is var name
                    && name.Length == start.Length + IdLength + Lock.Length
                    && name.StartsWith(start, StringComparison.Ordinal)
                    && name.EndsWith(Lock, StringComparison.Ordinal)
                    && name.AsSpan(start.Length, IdLength).IndexOfAnyExcept(HexDigits) < 0
                ),
        ];
    }

    /// <summary>Whether a folder that is missing stands beside its place while it is replaced.</summary>
    /// <param name="target">The folder, a real path.</param>
    public static bool IsMovedAway(string target) =>
        Directory.Exists(System.IO.Path.GetDirectoryName(target))
        && Markers(target).Any(marker => Directory.Exists(target + Old + Id(marker)));

    /// <summary>Finishes or undoes a write whose process died. Nothing is done where its process lives.</summary>
    /// <param name="target">The folder, a real path.</param>
    /// <param name="marker">The file that names the draft.</param>
    public static void Finish(string target, string marker)
    {
        // A file that names nobody is the user's, or that of a writer who is just beginning and has no folder yet.
        if (LockHolder.Read(marker) is null || LockFile.TryTake(marker, out _, create: false) is not { } taken)
            return;
        using FolderDraft draft = new(target, Id(marker), FolderRenames.System, taken);
        draft.Settle();
    }

    /// <summary>Puts the folder in the place of the old one.</summary>
    /// <exception cref="IOException">It cannot be done; the old one is in its place.</exception>
    public void TakePlace() =>
        _guard.Do(() =>
        {
            int error = Swap();
            if (Posix.CannotRename(error))
            {
                Require(_renames.Rename(Path, _target + New + _id));
                DurableFolder.Flush(Parent);
                CopyIntoPlace();
            }
            else
                Require(error);
            DurableFolder.Flush(Parent);
            RemoveQuietly(Path);
            RemoveQuietly(_target + Old + _id);
        });

    /// <summary>Gives the old folder the name of this one, which is empty, and removes it.</summary>
    public void MoveAway() =>
        _guard.Do(() =>
        {
            int error = _renames.Exchange(Path, _target);
            if (error == 0)
                Directory.Delete(_target); // the empty one
            else
                RemoveQuietly(_target);
            RemoveQuietly(Path);
            if (Directory.Exists(_target) || Directory.Exists(Path))
                throw new IOException("Not everything in it could be removed");
        });

    /// <summary>Removes what is left of the write, and the file that names it when nothing is left.</summary>
    public void Dispose()
    {
        _guard.Dispose();
        RemoveUnfinished();
    }

    private string Parent => System.IO.Path.GetDirectoryName(_target)!;

    private static string Id(string marker) => marker[^(IdLength + Lock.Length)..^Lock.Length];

    // The system's error, 0 for none. Another writer may put a folder into the place at any moment, or take it away: then it is tried anew.
    private int Swap()
    {
        int error = 0;
        for (int attempt = 0; attempt < 100; attempt++)
        {
            bool replaces = Directory.Exists(_target);
            error = replaces ? _renames.Exchange(Path, _target) : _renames.Rename(Path, _target);
            if (replaces && Posix.CannotSwap(error))
                error = SwapInTwo();
            if (error == 0 || (Directory.Exists(_target) == replaces && error != Posix.NotEmpty))
                break;
        }
        return error;
    }

    private int SwapInTwo()
    {
        string old = _target + Old + _id;
        int error = _renames.Rename(_target, old);
        if (error != 0)
            return error;
        error = _renames.Rename(Path, _target);
        // Where another writer was faster, the old folder has been replaced by that one's.
        if (error != 0 && Directory.Exists(_target))
            RemoveQuietly(old);
        else if (error != 0)
            Require(_renames.Rename(old, _target));
        return error;
    }

    // Does what is left of a write: copies a whole new folder into its place, or puts the old one back.
    private void Settle()
    {
        string old = _target + Old + _id,
            whole = _target + New + _id;
        if (Directory.Exists(whole))
            CopyIntoPlace();
        if (Directory.Exists(old) && !Directory.Exists(_target))
            Require(_renames.Rename(old, _target));
        RemoveQuietly(old);
        RemoveQuietly(Path);
    }

    // The old folder may be of a lower layer of an overlay, or a mount point: it stays, and each file in it is replaced. The new folder
    // stays whole beside it until all are, so that this can be done again from the start.
    private void CopyIntoPlace()
    {
        CopyTree(_target + New + _id, _target);
        DurableFolder.Flush(Parent);
        RemoveQuietly(_target + New + _id);
    }

    private static void CopyTree(string from, string to)
    {
        Directory.CreateDirectory(to);
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (string entry in Directory.EnumerateFileSystemEntries(from))
        {
            string name = System.IO.Path.GetFileName(entry),
                target = System.IO.Path.Combine(to, name);
            names.Add(name);
            if (Directory.Exists(entry))
            {
                CopyTree(entry, target);
                continue;
            }
            using FileStream content = File.OpenRead(entry);
            AtomicFile.Write(target, content.CopyTo, content.Length);
        }
        foreach (string entry in Directory.GetFileSystemEntries(to))
            if (!names.Contains(System.IO.Path.GetFileName(entry)))
                if (Directory.Exists(entry) && new FileInfo(entry).LinkTarget is null)
                    Directory.Delete(entry, recursive: true);
                else
                    File.Delete(entry);
        DurableFolder.Flush(to);
    }

    // Other threads still write: what they add while the folder is removed is removed, too.
    private void Tidy()
    {
        RemoveUnfinished(release: false);
        for (int attempt = 0; attempt < 200 && Directory.Exists(Path); attempt++)
        {
            Thread.Sleep(5);
            RemoveUnfinished(release: false);
        }
        RemoveUnfinished();
    }

    private void RemoveUnfinished(bool release = true)
    {
        // What must be finished keeps the file that names it.
        bool finish = Directory.Exists(_target + Old + _id) || Directory.Exists(_target + New + _id);
        if (!finish)
            RemoveQuietly(Path);
        if (release)
            _marker?.Release(remove: !finish && !Directory.Exists(Path));
    }

    private void Require(int error)
    {
        if (error != 0)
            throw Posix.Failure(error, _target);
    }

    private static void RemoveQuietly(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The file that names it stays, and the next write tries again.
        }
    }
}
