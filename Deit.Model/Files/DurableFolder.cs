using System.Runtime.InteropServices;

namespace Deit.Model.Files;

/// <summary>Makes names durable: on Unix a new or renamed file survives a power cut only after its folder was flushed too.</summary>
internal static partial class DurableFolder
{
    private const int ReadOnly = 0,
        PermissionDenied = 13,
        InvalidArgument = 22;

    /// <summary>Flushes the entries of a folder to disk; does nothing on Windows, whose file systems journal them.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="IOException">The system reports a failure.</exception>
    public static void Flush(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = Open(path, ReadOnly);
        // A folder that may be written but not listed cannot be opened, and some network file systems cannot flush a
        // folder. In both cases the rename itself has worked, so neither is an error.
        if (descriptor < 0)
        {
            ThrowUnless(PermissionDenied, path);
            return;
        }
        try
        {
            if (Synchronize(descriptor) != 0)
                ThrowUnless(InvalidArgument, path);
        }
        finally
        {
            _ = Close(descriptor); // read-only: nothing can be lost by a failing close
        }
    }

    private static void ThrowUnless(int tolerated, string path)
    {
        int error = Marshal.GetLastPInvokeError();
        if (error != tolerated)
            throw new IOException(
                $"Flushing the folder '{path}' to disk failed: {Marshal.GetPInvokeErrorMessage(error)}",
                error
            );
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Synchronize(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
