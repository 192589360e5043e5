namespace Deit.Model.Files;

/// <summary>Says in one sentence why a write failed and how to mend it.</summary>
internal static class WriteFailure
{
    // .NET reports errno on Unix (ENOSPC; EDQUOT on Linux and macOS) and an HRESULT on Windows (ERROR_DISK_FULL, ERROR_HANDLE_DISK_FULL).
    private static readonly int[] DiskFull = OperatingSystem.IsWindows()
        ? [unchecked((int)0x80070070), unchecked((int)0x80070027)]
        : [28, 122, 69];

    // .NET's constructor of a preallocated file throws this when the size does not fit: an IOException without a system's code.
    private const int NoSystemCode = unchecked((int)0x80131620);

    /// <summary>Whether a file could not be created because the size asked for in advance does not fit the disk.</summary>
    /// <param name="error">The exception from creating it.</param>
    public static bool IsPreallocation(IOException error) =>
        error.GetType() == typeof(IOException) && error.HResult == NoSystemCode;

    /// <summary>Gives such an error the code of a full disk.</summary>
    /// <param name="error">The exception from creating the file.</param>
    public static IOException AsDiskFull(IOException error) => new(error.Message, error) { HResult = DiskFull[0] };

    /// <summary>Builds the error.</summary>
    /// <param name="path">The file or folder that was to be written.</param>
    /// <param name="bytesNeeded">Its size, 0 where unknown.</param>
    /// <param name="error">The message of the system.</param>
    public static DeitException Explain(string path, long bytesNeeded, Exception error)
    {
        string needed = bytesNeeded > 0 ? $"{bytesNeeded} bytes are needed" : "more space is needed";
        return DiskFull.Contains(error.HResult)
            ? new DeitException(
                DeitErrorKind.Output,
                $"Writing '{path}' failed: the disk or quota is full, {needed} and {FreeBytes(path)} are free; free space or "
                    + "choose another folder, what was there before is intact.",
                error
            )
            : new DeitException(
                DeitErrorKind.Output,
                $"Writing '{path}' failed: {error.Message.TrimEnd('.')}; check that its folder exists and is writable, what "
                    + "was there before is intact.",
                error
            );
    }

    private static string FreeBytes(string path)
    {
        try
        {
            return $"{new DriveInfo(Path.GetDirectoryName(Path.GetFullPath(path))!).AvailableFreeSpace} bytes";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return "an unknown number of bytes";
        }
    }
}
