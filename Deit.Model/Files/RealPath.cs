namespace Deit.Model.Files;

/// <summary>Where paths lead once every link in them is followed, so that two names of one place are seen to be one.</summary>
internal static class RealPath
{
    private static readonly StringComparison Names =
        OperatingSystem.IsWindows() || OperatingSystem.IsMacOS()
            ? StringComparison.OrdinalIgnoreCase
            : StringComparison.Ordinal;

    /// <summary>The full path without links and without a separator at its end. Its last parts need not exist.</summary>
    public static string Of(string path) => Of(path, depth: 0);

    /// <summary>Whether a path is a folder or lies in it.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="path">The path, which need not exist.</param>
    public static bool Contains(string folder, string path) => Inside(folder, path) is not null;

    /// <summary>The parts of a path below a folder; empty for the folder itself, null for a path outside it.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="path">The path, which need not exist.</param>
    public static string[]? Inside(string folder, string path)
    {
        string outer = Of(folder),
            inner = Of(path);
        if (inner.Equals(outer, Names))
            return [];
        string prefix = Path.EndsInDirectorySeparator(outer) ? outer : outer + Path.DirectorySeparatorChar;
        return inner.StartsWith(prefix, Names) ? inner[prefix.Length..].Split(Path.DirectorySeparatorChar) : null;
    }

    private static string Of(string path, int depth)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(full) is not { } parent)
            return full;
        string here = Path.Combine(Of(parent, depth), Path.GetFileName(full));
        // A ring of links leads nowhere. The system gives up after 40, too.
        return depth < 40 && Target(here) is { } target
            ? Of(Path.Combine(Path.GetDirectoryName(here)!, target), depth + 1)
            : here;
    }

    private static string? Target(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null; // whoever opens the path reports it
        }
    }
}
