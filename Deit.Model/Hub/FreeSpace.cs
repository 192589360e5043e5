namespace Deit.Model.Hub;

/// <summary>Free space of the disk under a folder.</summary>
internal static class FreeSpace
{
    /// <summary>Bytes that this user may still write where a folder lies or will lie; null where the system does not say.</summary>
    /// <param name="folder">The folder; it need not exist.</param>
    public static long? At(string folder)
    {
        for (string? at = Path.GetFullPath(folder); at is not null; at = Path.GetDirectoryName(at))
            if (Directory.Exists(at))
                try
                {
                    return new DriveInfo(at).AvailableFreeSpace;
                }
                catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
                {
                    return null;
                }
        return null;
    }
}
