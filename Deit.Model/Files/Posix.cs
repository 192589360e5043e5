using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Deit.Model.Files;

/// <summary>Calls of Unix that .NET has not, or not without doing more than is asked.</summary>
internal static partial class Posix
{
    /// <summary>The file or folder does not exist.</summary>
    public const int Missing = 2;

    private const int Busy = 16,
        CrossDevice = 18,
        InvalidArgument = 22,
        CurrentFolder = -100,
        Swap = 2;

    /// <summary>A folder to be replaced by renaming is not empty.</summary>
    public static int NotEmpty => OperatingSystem.IsMacOS() ? 66 : 39;

    private static int NotImplemented => OperatingSystem.IsMacOS() ? 78 : 38;

    private static int NotSupported => OperatingSystem.IsMacOS() ? 45 : 95;

    /// <summary>The error of a system that swaps no names.</summary>
    public static int NoSwap => NotImplemented;

    /// <summary>Whether a folder cannot be renamed where it is: it lies in a lower layer of an overlay, or is a mount point.</summary>
    public static bool CannotRename(int error) => error is Busy or CrossDevice;

    /// <summary>Whether the system or file system does not know how to swap two folders.</summary>
    public static bool CannotSwap(int error) =>
        error == InvalidArgument || error == NotImplemented || error == NotSupported;

    /// <summary>Reads a file that another process may have locked. .NET asks for the lock even to read.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static byte[] ReadLocked(string path)
    {
        int descriptor = Open(path, 0);
        if (descriptor < 0)
            throw Failure(Marshal.GetLastPInvokeError(), path);
        using FileStream stream = new(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Read, 1);
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>Makes a folder in a folder that exists. .NET would make the missing parents, too.</summary>
    /// <exception cref="IOException">It cannot be made, or exists.</exception>
    public static void MakeFolder(string path)
    {
        if (MakeFolder(path, 0x1FF) != 0)
            throw Failure(Marshal.GetLastPInvokeError(), path);
    }

    /// <summary>Gives a folder another name. An empty folder of that name is replaced.</summary>
    /// <returns>The system's error; 0 for none.</returns>
    public static int Rename(string from, string to) => RenameCall(from, to) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Swaps the names of two folders in one moment.</summary>
    /// <returns>The system's error; 0 for none.</returns>
    public static int Exchange(string one, string other)
    {
        try
        {
            int result = OperatingSystem.IsMacOS()
                ? ExchangeOnMac(one, other, Swap)
                : ExchangeOnLinux(CurrentFolder, one, CurrentFolder, other, Swap);
            return result == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
        catch (EntryPointNotFoundException)
        {
            return NotImplemented; // a C library older than the call
        }
    }

    /// <summary>An error of the system as .NET reports it.</summary>
    public static IOException Failure(int error, string path) =>
        error == Missing ? new DirectoryNotFoundException($"'{path}' or its folder does not exist")
        : error < 0 ? new IOException($"{Marshal.GetPInvokeErrorMessage(error & 0xFFFF)}: '{path}'", error) // Windows
        : new IOException($"{Marshal.GetPInvokeErrorMessage(error)}: '{path}'", error);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFolder(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameCall(string from, string to);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ExchangeOnLinux(int fromFolder, string from, int toFolder, string to, uint flags);

    [LibraryImport("libc", EntryPoint = "renamex_np", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ExchangeOnMac(string from, string to, uint flags);
}
