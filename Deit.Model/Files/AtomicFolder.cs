namespace Deit.Model.Files;

/// <summary>
/// Replaces a folder as a unit. The new folder is filled beside the old one and flushed to disk; then both swap names in one moment, and
/// the old one is removed. At every moment, a power cut included, the old or the new folder is whole.
/// </summary>
/// <remarks>
/// A file beside the new folder, <c>NAME.tmp-ID.lock</c>, is held while it is written. It proves that <c>NAME.tmp-ID</c> is ours, and tells
/// whether its writer lives. Nothing is removed without that proof.
/// </remarks>
internal static class AtomicFolder
{
    /// <summary>Fills a new folder, flushes it to disk and puts it in the place of the old one.</summary>
    /// <param name="path">The folder; a link is followed. The folder that it lies in exists, and is not made anew.</param>
    /// <param name="fill">Writes the files into the folder it is given; an exception from it removes that folder and
    /// reaches the caller.</param>
    /// <param name="flush">False leaves it to the system when the content reaches the disk, as suits many small files.</param>
    /// <param name="renames">How folders get other names; null for the system's way.</param>
    /// <exception cref="DeitException">The disk is full or the folder cannot be written; an old one is intact.</exception>
    public static void Write(string path, Action<string> fill, bool flush = true, FolderRenames? renames = null)
    {
        string target = RealPath.Of(path);
        Recover(target);
        try
        {
            using FolderDraft draft = FolderDraft.Begin(target, renames ?? FolderRenames.System);
            fill(draft.Path);
            if (flush)
                FlushTree(draft.Path);
            draft.TakePlace();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw WriteFailure.Explain(path, 0, error);
        }
    }

    /// <summary>Removes a folder as a unit: from one moment to the next it has another name, and then goes away.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="DeitException">It cannot be removed.</exception>
    public static void Remove(string path)
    {
        string target = RealPath.Of(path);
        Recover(target);
        try
        {
            using FolderDraft draft = FolderDraft.Begin(target, FolderRenames.System);
            draft.MoveAway();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                DeitErrorKind.Output,
                $"Removing '{path}' failed: {error.Message.TrimEnd('.')}; check that its folder is writable.",
                error
            );
        }
    }

    /// <summary>Repairs a folder after a kill during <see cref="Write"/>. Call it before reading a folder that nobody else writes. A
    /// folder that is in order, and the work of writers that live, stay as they are.</summary>
    /// <param name="path">The folder, which need not exist.</param>
    /// <exception cref="DeitException">The folder cannot be put in order.</exception>
    public static void Recover(string path)
    {
        string target = RealPath.Of(path),
            parent = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(parent))
            return;
        try
        {
            foreach (string marker in FolderDraft.Markers(target))
                FolderDraft.Finish(target, marker);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                DeitErrorKind.Output,
                $"Putting '{path}' in order after a write that was cut off failed: {error.Message.TrimEnd('.')}; check that "
                    + "its folder is writable.",
                error
            );
        }
    }

    /// <summary>Waits while a folder is missing because it is being replaced, which takes a moment where names cannot be swapped.</summary>
    /// <param name="path">The folder.</param>
    public static void AwaitReplacement(string path)
    {
        for (
            int attempt = 0;
            attempt < 100 && !Directory.Exists(path) && FolderDraft.IsMovedAway(RealPath.Of(path));
            attempt++
        )
            Thread.Sleep(10);
    }

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
}
