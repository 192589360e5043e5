using System.IO.Enumeration;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;

namespace Deit.Cli.Commands;

/// <summary>A pattern for names of pictures, as <c>shoes/**/*.jpg</c>.</summary>
/// <param name="pattern">The pattern.</param>
/// <param name="fail">Is told of each folder that cannot be read. The others are searched all the same.</param>
internal sealed class PicturePattern(string pattern, Action<DeitException> fail)
{
    private const string AnyFolders = "**";
    private readonly HashSet<string> _unreadable = new(StringComparer.Ordinal);

    /// <summary>The pictures, sorted by their names.</summary>
    /// <returns>None where each folder that might hold one cannot be read.</returns>
    /// <exception cref="DeitException">There is none, though all could be read.</exception>
    public string[] Matches()
    {
        string[] parts = pattern.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar]);
        // "p/**" means whatever lies below p, and "p/*/" whatever lies in the folders of p.
        if (parts[^1] == AnyFolders)
            parts = [.. parts, "*"];
        else if (parts[^1].Length == 0)
            parts[^1] = "*";
        int first = Array.FindIndex(parts, part => part.AsSpan().ContainsAny('*', '?'));
        string start = string.Join(Path.DirectorySeparatorChar, parts[..first]);
        // Nothing before the first slash is the root; nothing at all is the current folder.
        string folder = first == 0 ? "" : start + Path.DirectorySeparatorChar;
        string[] found =
            folder.Length > 0 && !Directory.Exists(folder) ? [] : [.. Below(folder, parts[first..]).Distinct()];
        Array.Sort(found, StringComparer.Ordinal);
        return found.Length > 0 || _unreadable.Count > 0
            ? found
            : throw new DeitException(
                DeitErrorKind.Data,
                $"'{pattern}' matches no picture; * stands for any text within a name, ? for a character, ** for any folders."
            );
    }

    // Links to folders are entered by name alone: under ** they might lead in a circle.
    private IEnumerable<string> Below(string folder, string[] parts)
    {
        if (parts is [var last])
            return In(folder, here => here.EnumerateFiles())
                .Where(file => Fits(last, file.Name) && PictureFiles.IsRead(file.Name))
                .Select(file => folder + file.Name);
        DirectoryInfo[] inside = In(folder, here => here.EnumerateDirectories());
        if (parts[0] == AnyFolders)
            return Below(folder, parts[1..])
                .Concat(
                    inside
                        .Where(inner => inner.LinkTarget is null && inner.Name[0] != '.')
                        .SelectMany(inner => Below(folder + inner.Name + Path.DirectorySeparatorChar, parts))
                );
        return inside
            .Where(inner => Fits(parts[0], inner.Name))
            .SelectMany(inner => Below(folder + inner.Name + Path.DirectorySeparatorChar, parts[1..]));
    }

    private T[] In<T>(string folder, Func<DirectoryInfo, IEnumerable<T>> entries)
    {
        string path = folder.Length == 0 ? "." : folder;
        try
        {
            return DatasetRules.Reading(path, () => entries(new DirectoryInfo(path)).ToArray());
        }
        catch (DeitException error)
        {
            // A folder is read several times: for its files, and for its folders.
            if (_unreadable.Add(folder))
                fail(error);
            return [];
        }
    }

    // A hidden name is meant where the pattern begins with a point, as in a shell.
    private static bool Fits(string pattern, string name) =>
        (name[0] != '.' || pattern.StartsWith('.'))
        && FileSystemName.MatchesSimpleExpression(
            pattern == AnyFolders ? "*" : pattern.Replace(@"\", @"\\", StringComparison.Ordinal),
            name,
            ignoreCase: OperatingSystem.IsWindows()
        );
}
