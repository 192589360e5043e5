namespace Deit.Train.Data.Formats;

/// <summary>Where paths lead when every link in them is followed. Two paths of one folder have the same real path.</summary>
internal sealed class RealPaths
{
    private const int MostLinks = 40; // as Linux
    private readonly Dictionary<string, string> _folders = new(StringComparer.Ordinal);

    /// <summary>The real path of a file or folder.</summary>
    /// <exception cref="IOException">Links lead in a circle, or a folder cannot be read.</exception>
    public string Of(string path) => Of(Path.GetFullPath(path), links: 0);

    /// <summary>Whether a real path is another or lies in it.</summary>
    public static bool IsIn(string path, string folder) =>
        path.StartsWith(folder, StringComparison.Ordinal)
        && (
            path.Length == folder.Length
            || Path.EndsInDirectorySeparator(folder)
            || path[folder.Length] == Path.DirectorySeparatorChar
        );

    private string Of(string path, int links)
    {
        path = Path.TrimEndingDirectorySeparator(path);
        if (Path.GetDirectoryName(path) is not { } parent)
            return path;
        string real = Path.Combine(OfFolder(parent, links), Path.GetFileName(path));
        if (new FileInfo(real).LinkTarget is not { } target)
            return real;
        if (links == MostLinks)
            throw new IOException($"'{path}' is a link that leads in a circle");
        return Of(Path.GetFullPath(target, Path.GetDirectoryName(real)!), links + 1);
    }

    private string OfFolder(string path, int links)
    {
        if (!_folders.TryGetValue(path, out string? real))
            _folders[path] = real = Of(path, links);
        return real;
    }
}
