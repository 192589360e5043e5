using System.Text;

namespace Deit.Model.Files;

/// <summary>
/// Reads files that another process may replace, write or remove meanwhile, and is in nobody's way. Windows refuses to
/// rename over a file that somebody has open, unless it was opened so that others may do everything with it. Elsewhere
/// .NET takes a lock even to read, and refuses to write a file that has one.
/// </summary>
internal static class SharedFile
{
    /// <summary>The bytes of a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static byte[] ReadAllBytes(string path)
    {
        if (!OperatingSystem.IsWindows())
            return Posix.ReadLocked(path);
        using FileStream stream = new(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete,
            bufferSize: 0
        );
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>The lines of a text in UTF-8.</summary>
    /// <inheritdoc cref="ReadAllBytes"/>
    public static string[] ReadAllLines(string path)
    {
        List<string> lines = [];
        using StreamReader reader = new(new MemoryStream(ReadAllBytes(path)), Encoding.UTF8);
        while (reader.ReadLine() is { } line)
            lines.Add(line);
        return [.. lines];
    }
}
