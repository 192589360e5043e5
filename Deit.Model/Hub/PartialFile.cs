namespace Deit.Model.Hub;

/// <summary>
/// The file that a content is fetched into. Where a lock keeps other processes out, it is <c>BLOB.incomplete</c>: it stays when the
/// download ends early, and the next one goes on with it. Elsewhere one process could cut the file that another has just finished. There
/// each process has a file of its own, which goes away with the download.
/// </summary>
internal sealed class PartialFile : IDisposable
{
    /// <summary>Opens the file.</summary>
    /// <param name="blob">The place of the content.</param>
    /// <param name="isAlone">Whether a lock keeps other processes out.</param>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be made.</exception>
    public PartialFile(string blob, bool isAlone)
    {
        IsKept = isAlone;
        Path = isAlone ? CommonOf(blob) : $"{blob}.{Guid.NewGuid():N}.incomplete";
        FileStreamOptions options = new()
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Read | FileShare.Delete,
            BufferSize = 0, // what came is in the file, should the process be ended
            Options = FileOptions.Asynchronous,
        };
        Stream = new FileStream(Path, options);
        if (!IsKept)
            AppDomain.CurrentDomain.ProcessExit += Remove;
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Whether it stays when the download ends early.</summary>
    public bool IsKept { get; }

    /// <summary>Its bytes, from the start.</summary>
    public FileStream Stream { get; }

    /// <summary>Bytes of a content that an earlier download left.</summary>
    /// <param name="blob">The place of the content.</param>
    public static long LengthOf(string blob) =>
        new FileInfo(CommonOf(blob)) is { Exists: true } common ? common.Length : 0;

    /// <summary>Gives the file the name of its content. It must be whole.</summary>
    /// <param name="blob">The place of the content.</param>
    public void Become(string blob)
    {
        Stream.Dispose();
        File.Move(Path, blob, overwrite: true);
    }

    /// <summary>Closes the file, and removes it where nobody would go on with it.</summary>
    public void Dispose()
    {
        Stream.Dispose();
        if (IsKept)
            return;
        AppDomain.CurrentDomain.ProcessExit -= Remove;
        Remove(null, EventArgs.Empty);
    }

    private static string CommonOf(string blob) => $"{blob}.incomplete";

    private void Remove(object? sender, EventArgs ending)
    {
        try
        {
            File.Delete(Path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Space is lost, and nothing else.
        }
    }
}
