using System.Buffers;
using Deit.Model.Files;
using Deit.Train.Data.Formats;
using Deit.Train.Options;

namespace Deit.Train.Runs;

/// <summary>
/// The folder of a run in the hands of one process. A locked file in it, <c>run.lock</c>, keeps other trainings out. It goes away with
/// this object; a file that a killed process left is taken over.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    /// <summary>The file that is locked.</summary>
    public const string LockName = "run.lock";

    private readonly LockedFolder _folder;

    private RunFolder(string path, bool make) =>
        (Path, _folder) = (path, LockedFolder.Take(path, LockName, $"Run folder '{path}'", make));

    /// <summary>The place of the folder.</summary>
    public string Path { get; }

    /// <summary>A sentence where nothing keeps another process out; null elsewhere.</summary>
    public string? Notice =>
        _folder.KeepsOthersOut
            ? null
            : $"the file system of {Path} has no locks, so that nothing keeps a second training out of it";

    /// <summary>Takes the folder of a run that exists, before anything in it is read or written.</summary>
    /// <exception cref="DeitException">Another process has it. Nothing has changed.</exception>
    public static RunFolder Open(string path) => new(path, make: false);

    /// <summary>Takes a folder for a new run; makes it where there is none.</summary>
    /// <exception cref="DeitException">Another process has it, it is not free for a run, or it cannot be made.</exception>
    public static RunFolder Create(string path)
    {
        bool left = IsLeft(path);
        RunFolder folder = new(path, make: true);
        try
        {
            RequireFree(path, left);
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Checks that a new run may have a folder: there is none, or it holds nothing but loose files, as a log that a launcher
    /// writes.</summary>
    /// <exception cref="DeitException">It holds a run, a name of one, pictures or other folders.</exception>
    public static void RequireFree(string path) => RequireFree(path, IsLeft(path));

    // A start that was killed leaves a lock and perhaps names of a run: they are this program's. Without a lock they are someone's.
    private static bool IsLeft(string path) => LockHolder.Read(System.IO.Path.Combine(path, LockName)) is not null;

    /// <summary>Makes a folder for a new run that has no name: <c>runs/DATA-1</c>, or the next number that is free.</summary>
    /// <param name="data">The place of the data, whose name it bears.</param>
    /// <param name="check">Refuses a place.</param>
    /// <param name="parent">The folder in which runs without a name lie.</param>
    /// <exception cref="DeitException">The place is refused, or the folder cannot be made.</exception>
    public static RunFolder MakeUp(string data, Action<string> check, string parent = "runs")
    {
        string name = System.IO.Path.GetFileName(
            System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(data))
        );
        for (int number = 1; ; number++)
        {
            string path = System.IO.Path.Combine(
                parent,
                FormattableString.Invariant($"{(name.Length == 0 ? "data" : name)}-{number}")
            );
            if (System.IO.Path.Exists(path))
                continue;
            check(path);
            try
            {
                return Create(path);
            }
            catch (DeitException error) when (error is InUseException || HoldsRun(path))
            {
                // Another training, which began at the same moment, was faster. After any other error, as where the disk
                // is full, the next number would fare no better.
            }
        }
    }

    /// <summary>Checks that a folder holds no run.</summary>
    /// <exception cref="DeitException">It holds one.</exception>
    public static void RequireNoRun(string path)
    {
        if (HoldsRun(path))
            throw new DeitException(
                DeitErrorKind.Output,
                $"'{path}' holds a run already; go on with --resume {path}, or choose another --output."
            );
    }

    /// <summary>Whether a folder holds a run.</summary>
    public static bool HoldsRun(string path) => File.Exists(System.IO.Path.Combine(path, TrainOptions.FileName));

    /// <summary>Checks that the folder is still in its place.</summary>
    /// <exception cref="DeitException">It was removed, moved or replaced.</exception>
    public void Require()
    {
        if (!_folder.IsInPlace)
            throw new DeitException(
                DeitErrorKind.Output,
                $"Saving into '{Path}' failed: the run folder was removed, moved or replaced while it was trained in, so "
                    + "training stopped and wrote nothing more; go on with --resume where the folder is now, or start anew."
            );
    }

    /// <summary>Lets others have the folder. An empty one that was made for the run is removed.</summary>
    public void Dispose() => _folder.Dispose();

    private static void RequireFree(string path, bool left)
    {
        RequireNoRun(path);
        string[] names =
        [
            "last",
            "best",
            "best_ema",
            "log.csv",
            "log.jsonl",
            RunReport.FileName,
            TensorBoardObserver.FolderName,
        ];
        if (!left && names.FirstOrDefault(name => System.IO.Path.Exists(System.IO.Path.Combine(path, name))) is { } own)
            throw new DeitException(
                DeitErrorKind.Output,
                $"'{path}' holds '{own}' and no run, and a training would replace that; move it elsewhere, or choose another "
                    + "--output."
            );
        if (
            Entries(path).FirstOrDefault(entry => !(left && names.Contains(WrittenAs(entry))) && IsOfOthers(entry)) is
            { } other
        )
            throw new DeitException(
                DeitErrorKind.Output,
                $"'{path}' holds '{System.IO.Path.GetFileName(other)}' and no run, and a run among pictures would be "
                    + "taken for one of their classes; choose a new or an empty folder as --output."
            );
    }

    private static readonly SearchValues<string> Drafts = SearchValues.Create(
        [".tmp-", ".new-"],
        StringComparison.Ordinal
    );

    // The name that a draft is to have.
    private static string WrittenAs(string entry) =>
        System.IO.Path.GetFileName(entry) is var name && name.AsSpan().IndexOfAny(Drafts) is > 0 and int at
            ? name[..at]
            : name;

    private static bool IsOfOthers(string entry) =>
        System.IO.Path.GetFileName(entry) is var name
        && !OtherFolders.IsLeftover(name)
        && (PictureFiles.IsRead(name) || PictureFiles.IsOther(name) || HoldsPictures(entry));

    private static string[] Entries(string path)
    {
        try
        {
            return Directory.Exists(path) ? Directory.GetFileSystemEntries(path) : [];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                DeitErrorKind.Output,
                $"'{path}' cannot be read to see what is in it ({error.Message.TrimEnd('.')}); choose another --output.",
                error
            );
        }
    }

    /// <summary>
    /// Whether pictures lie in a folder or in a folder of it, as in a class or a split. Of what cannot be read nobody knows.
    /// </summary>
    /// <param name="folder">The folder; a file holds none.</param>
    public static bool HoldsPictures(string folder)
    {
        try
        {
            return Directory.Exists(folder)
                && (PictureFiles.LieIn(folder) || Directory.EnumerateDirectories(folder).Any(PictureFiles.LieIn));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
