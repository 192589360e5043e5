using Deit.Model;
using Deit.Model.Files;

namespace Deit.Train.Runs;

/// <summary>
/// The folder of a run in the hands of one process. A locked file in it, <c>run.lock</c>, keeps other trainings out. It goes away with
/// this object; a file that a killed process left is taken over.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    /// <summary>The file that is locked.</summary>
    public const string LockName = "run.lock";

    private readonly LockFile _lock;
    private readonly string? _made;
    private readonly ExitGuard _guard;

    private RunFolder(string path, LockFile taken, string? made)
    {
        (Path, _lock, _made) = (path, taken, made);
        _guard = new ExitGuard(Release);
    }

    /// <summary>The folder as it was given.</summary>
    public string Path { get; }

    /// <summary>A sentence where nothing keeps another process out; null elsewhere.</summary>
    public string? Notice =>
        _lock.KeepsOthersOut
            ? null
            : $"the file system of {Path} has no locks, so that nothing keeps a second training out of it";

    /// <summary>Takes the folder of a run that exists, before anything in it is read or written.</summary>
    /// <exception cref="DeitException">Another process has it. Nothing has changed.</exception>
    public static RunFolder Open(string path) => new(path, Lock(path), made: null);

    /// <summary>Takes a folder for a new run; makes it where there is none.</summary>
    /// <exception cref="DeitException">Another process has it, it holds a run or a name of one, or it cannot be made.</exception>
    public static RunFolder Create(string path)
    {
        // A folder that another process holds is told as such, whatever that one has written by now.
        bool left = LockHolder.Read(System.IO.Path.Combine(path, LockName)) is not null;
        string? made = FirstMissing(path);
        MakeFolder(path);
        RunFolder folder = new(path, Lock(path), made);
        try
        {
            folder.RequireNoRun(left);
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Checks that the folder is still in its place.</summary>
    /// <exception cref="DeitException">It was removed, moved or replaced.</exception>
    public void Require()
    {
        if (!_lock.IsInPlace)
            throw new DeitException(
                $"Saving into '{Path}' failed: the run folder was removed, moved or replaced while it was trained in, so "
                    + "training stopped and wrote nothing more; go on with --resume where the folder is now, or start anew."
            );
    }

    /// <summary>Lets others have the folder. An empty one that was made for the run is removed.</summary>
    public void Dispose()
    {
        _guard.Dispose();
        Release();
    }

    private void Release()
    {
        _lock.Dispose();
        if (_made is null)
            return;
        try
        {
            // From the folder up to the first that was made; a folder with anything in it stays.
            string end = System.IO.Path.GetDirectoryName(_made)!;
            for (string folder = FullPath(Path); folder != end; folder = System.IO.Path.GetDirectoryName(folder)!)
                Directory.Delete(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It holds something, or is gone.
        }
    }

    // A start that was killed leaves a lock and perhaps names of a run: they are this program's. Without a lock they are someone's.
    private void RequireNoRun(bool left)
    {
        if (File.Exists(System.IO.Path.Combine(Path, Options.TrainOptions.FileName)))
            throw new DeitException(
                $"'{Path}' holds a run already; go on with --resume {Path}, or choose another --output."
            );
        string[] names = ["last", "best", "best_ema", "log.csv", "log.jsonl"];
        if (
            !left && names.FirstOrDefault(name => System.IO.Path.Exists(System.IO.Path.Combine(Path, name))) is { } name
        )
            throw new DeitException(
                $"'{Path}' holds '{name}' and no run, and a training would replace that; move it elsewhere, or choose another "
                    + "--output."
            );
    }

    private static LockFile Lock(string path)
    {
        try
        {
            return LockFile.Take(System.IO.Path.Combine(path, LockName), $"Run folder '{path}'");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw WriteFailure.Explain(System.IO.Path.Combine(path, LockName), 0, error);
        }
    }

    private static string FullPath(string path) =>
        System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));

    // The outermost folder of the path that does not exist; null where all do.
    private static string? FirstMissing(string path)
    {
        string? missing = null;
        for (
            string? folder = FullPath(path);
            folder is not null && !System.IO.Path.Exists(folder);
            folder = System.IO.Path.GetDirectoryName(folder)
        )
            missing = folder;
        return missing;
    }

    private static void MakeFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                $"Run folder '{folder}' cannot be made ({error.Message.TrimEnd('.')}); choose another --output.",
                error
            );
        }
    }
}
