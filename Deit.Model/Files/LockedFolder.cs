namespace Deit.Model.Files;

/// <summary>
/// A folder in the hands of one process: a locked file in it keeps others out. A folder that was made for it and is empty at the end
/// goes away again.
/// </summary>
internal sealed class LockedFolder : IDisposable
{
    private readonly string _path;
    private readonly string? _made;
    private readonly ExitGuard _guard;
    private LockFile? _lock;

    private LockedFolder(string path, string? made)
    {
        (_path, _made) = (path, made);
        _guard = new ExitGuard(Release);
    }

    /// <summary>Whether others are kept out. Some network file systems have no locks.</summary>
    public bool KeepsOthersOut => _lock!.KeepsOthersOut;

    /// <summary>Whether the folder is still in its place: neither removed, moved nor replaced.</summary>
    public bool IsInPlace => _lock!.IsInPlace;

    /// <summary>Takes a folder.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="lockName">The name of the file in it that is locked.</param>
    /// <param name="what">The folder in the sentence where another process has it, as <c>Run folder 'r'</c>.</param>
    /// <param name="make">Makes the folder where there is none.</param>
    /// <exception cref="DeitException">Another process has it, or it cannot be made. Nothing has changed.</exception>
    public static LockedFolder Take(string path, string lockName, string what, bool make)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)),
            file = Path.Combine(full, lockName);
        // The guard is there before the first thing that a signal would leave behind.
        LockedFolder folder = new(full, make ? FirstMissing(full) : null);
        try
        {
            folder._guard.Do(() =>
            {
                if (make)
                    Make(path, what);
                folder._lock = LockFile.Take(file, what);
            });
            return folder;
        }
        catch (Exception error)
        {
            folder.Dispose();
            if (error is IOException or UnauthorizedAccessException)
                throw WriteFailure.Explain(Path.Combine(path, lockName), 0, error);
            throw;
        }
    }

    /// <summary>Lets others have the folder.</summary>
    public void Dispose()
    {
        _guard.Dispose();
        Release();
    }

    private void Release()
    {
        _lock?.Dispose();
        if (_made is null)
            return;
        try
        {
            // From the folder up to the first that was made; a folder with anything in it stays.
            string end = Path.GetDirectoryName(_made)!;
            for (string folder = _path; folder != end; folder = Path.GetDirectoryName(folder)!)
                Directory.Delete(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It holds something, or is gone.
        }
    }

    // The outermost folder of the path that does not exist; null where all do.
    private static string? FirstMissing(string path)
    {
        string? missing = null;
        for (string? folder = path; folder is not null && !Path.Exists(folder); folder = Path.GetDirectoryName(folder))
            missing = folder;
        return missing;
    }

    private static void Make(string path, string what)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new DeitException(
                DeitErrorKind.Output,
                $"{what} cannot be made ({error.Message.TrimEnd('.')}); choose another --output.",
                error
            );
        }
    }
}
