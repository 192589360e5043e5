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
            FileInfo file = new(path);
            string target = (
                file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true) ?? file
            ).FullName;
            temporary = $"{target}.tmp-{Guid.NewGuid():N}";
            using (FileStream stream = Create(temporary, expectedBytes))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
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
