namespace Deit.Model.Files;

/// <summary>
/// Writes a file so that at every moment, a power cut included, its name leads to the whole old or the whole new
/// content.
/// </summary>
internal static class AtomicFile
{
    /// <summary>Writes a temporary file beside the target, flushes it to disk and renames it over the target.</summary>
    /// <param name="path">The file; a link is followed.</param>
    /// <param name="write">Writes the content; an exception from it removes the temporary file and reaches the caller.</param>
    /// <param name="expectedBytes">The size if known: a full disk is then found before anything is written.</param>
    /// <exception cref="DeitException">The disk is full or the file cannot be written; an old file of that name is intact.</exception>
    public static void Write(string path, Action<Stream> write, long expectedBytes = 0)
    {
        string? temporary = null;
        try
        {
            string target = RealPath.Of(path);
            temporary = $"{target}.tmp-{Guid.NewGuid():N}";
            string draft = temporary;
            using ExitGuard guard = new(() => File.Delete(draft));
            using (FileStream stream = Create(draft, expectedBytes))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            guard.Do(() => Replace(draft, target));
            temporary = null;
            DurableFolder.Flush(Path.GetDirectoryName(target)!);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw WriteFailure.Explain(path, expectedBytes, error);
        }
        finally
        {
            if (temporary is not null)
                RemoveQuietly(temporary);
        }
    }

    /// <summary>
    /// Puts a whole file in the place of another. A file that is a mount point, as a container's may be, cannot be renamed over: it gets
    /// the content, and <paramref name="draft"/> stays until it has all of it.
    /// </summary>
    internal static void Replace(string draft, string target, Func<string, string, int>? rename = null)
    {
        if (OperatingSystem.IsWindows() && rename is null)
        {
            File.Move(draft, target, overwrite: true);
            return;
        }
        int error = (rename ?? Posix.Rename)(draft, target);
        if (error == 0)
            return;
        if (!Posix.CannotRename(error))
            throw Posix.Failure(error, target);
        using (FileStream from = File.OpenRead(draft))
        using (FileStream to = new(target, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None))
        {
            from.CopyTo(to);
            to.SetLength(to.Position);
            to.Flush(flushToDisk: true);
        }
        File.Delete(draft);
    }

    private static FileStream Create(string path, long expectedBytes)
    {
        FileStreamOptions options = new()
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
            BufferSize = 1 << 16,
            PreallocationSize = expectedBytes,
        };
        try
        {
            return new FileStream(path, options);
        }
        catch (IOException error) when (expectedBytes > 0 && WriteFailure.IsPreallocation(error))
        {
            throw WriteFailure.AsDiskFull(error);
        }
    }

    private static void RemoveQuietly(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The caller reports the failure that led here. A stray temporary file harms nothing.
        }
    }
}
