namespace Deit.Model.Files;

/// <summary>
/// Replaces a folder as a unit. No system renames a folder over another, so there is one moment with no folder of that
/// name. At that moment the old folder stands beside it with the suffix <c>.old</c>, and <see cref="Recover"/> puts it
/// back. At every moment the old or the new folder is whole.
/// </summary>
internal static class AtomicFolder
{
    private const string Old = ".old",
        Temporary = ".tmp-";

    /// <summary>Fills a new folder, flushes it to disk and puts it in the place of the old one. One writer at a time.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="fill">Writes the files into the folder it is given; an exception from it removes that folder and
    /// reaches the caller.</param>
    /// <exception cref="DeitException">The disk is full or the folder cannot be written; an old one is intact.</exception>
    public static void Write(string path, Action<string> fill)
    {
        path = Normalise(path);
        Recover(path);
        string temporary = $"{path}{Temporary}{Guid.NewGuid():N}";
        try
        {
            Directory.CreateDirectory(temporary);
            fill(temporary);
            FlushTree(temporary);
            if (Directory.Exists(path))
                Directory.Move(path, path + Old);
            Directory.Move(temporary, path);
            DurableFolder.Flush(Path.GetDirectoryName(path)!);
            DeleteQuietly(path + Old);
        }
        catch (Exception error)
        {
            Recover(path);
            if (error is IOException or UnauthorizedAccessException)
                throw WriteFailure.Explain(path, 0, error);
            throw;
        }
    }

    /// <summary>Repairs a folder after a kill during <see cref="Write"/>. Call it before reading the folder. A folder
    /// that is in order stays as it is.</summary>
    /// <param name="path">The folder, which need not exist.</param>
    /// <exception cref="DeitException">The old folder cannot be put back.</exception>
    public static void Recover(string path)
    {
        path = Normalise(path);
        string parent = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(parent))
            return;
        try
        {
            if (Directory.Exists(path))
                DeleteQuietly(path + Old);
            else if (Directory.Exists(path + Old))
                Directory.Move(path + Old, path);
            foreach (string left in Directory.EnumerateDirectories(parent, Path.GetFileName(path) + Temporary + "*"))
                DeleteQuietly(left);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                $"Restoring '{path}' from '{path + Old}' failed: {error.Message.TrimEnd('.')}; rename it by hand.",
                error
            );
        }
    }

    private static string Normalise(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));

    private static void FlushTree(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder))
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            stream.Flush(flushToDisk: true);
        }
        foreach (string inner in Directory.EnumerateDirectories(folder))
            FlushTree(inner);
        DurableFolder.Flush(folder);
    }

    private static void DeleteQuietly(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A stray folder harms nothing, and the next Recover tries again.
        }
    }
}
