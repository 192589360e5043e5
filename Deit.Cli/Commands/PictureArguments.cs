using System.IO.Enumeration;
using System.Text;
using Deit.Cli.Terminal;
using Deit.Model;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;

namespace Deit.Cli.Commands;

/// <summary>The pictures that a command line names: files, folders, patterns, and lists of all of these.</summary>
internal static class PictureArguments
{
    private const string AnyFolders = "**";

    /// <summary>The pictures, in the order of the arguments; those of a folder or a pattern by their names.</summary>
    /// <param name="arguments">Files, folders, or patterns. A name that exists is no pattern.</param>
    /// <param name="list">A file with further arguments, a line each; <c>-</c> is the standard input, null no file.</param>
    /// <param name="fail">Is told of an argument that names no picture. The others follow all the same.</param>
    /// <exception cref="DeitException">The list cannot be read.</exception>
    public static IEnumerable<string> All(IEnumerable<string> arguments, string? list, Action<DeitException> fail) =>
        arguments.Concat(list is null ? [] : Lines(list)).SelectMany(argument => Of(argument, fail));

    private static IEnumerable<string> Lines(string list)
    {
        string name = list == "-" ? "the standard input" : $"'{list}'";
        using StreamReader reader = DatasetRules.Reading(
            list,
            () => new StreamReader(list == "-" ? Input.Open() : File.OpenRead(list), Encoding.UTF8)
        );
        while (DatasetRules.Reading(list, reader.ReadLine) is { } line)
        {
            if (line.Contains('\0', StringComparison.Ordinal))
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"--list {name} has a zero byte, expected the path of a picture on each line; give a text file."
                );
            if (line.Length > 0)
                yield return line;
        }
    }

    private static string[] Of(string argument, Action<DeitException> fail)
    {
        try
        {
            if (File.Exists(argument))
                return [argument];
            if (Directory.Exists(argument))
                return InFolder(argument);
            return argument.AsSpan().ContainsAny('*', '?') ? Matches(argument) : [argument];
        }
        catch (DeitException error)
        {
            fail(error);
            return [];
        }
    }

    // A folder stands for the pictures in it. Folders in it are left: those of a data set would be thousands.
    private static string[] InFolder(string path)
    {
        string[] pictures = DatasetRules.Reading(
            path,
            () => PictureFiles.In(path).Order(StringComparer.Ordinal).ToArray()
        );
        return pictures.Length > 0
            ? pictures
            : throw new DeitException(
                DeitErrorKind.Data,
                $"'{path}' is a folder without pictures in it ({string.Join(' ', PictureFiles.Extensions)}); "
                    + "give pictures, the folder that they lie in, or "
                    + $"'{Path.Combine(path, "**", "*")}' for those of all folders in it."
            );
    }

    private static string[] Matches(string pattern)
    {
        string[] parts = pattern.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar]);
        int first = Array.FindIndex(parts, part => part.AsSpan().ContainsAny('*', '?'));
        string start = string.Join(Path.DirectorySeparatorChar, parts[..first]);
        // Nothing before the first slash is the root; nothing at all is the current folder.
        string folder = first == 0 ? "" : start + Path.DirectorySeparatorChar;
        string[] found = DatasetRules.Reading(pattern, () => Below(folder, parts[first..]).Distinct().ToArray());
        Array.Sort(found, StringComparer.Ordinal);
        return found.Length > 0
            ? found
            : throw new DeitException(
                DeitErrorKind.Data,
                $"'{pattern}' matches no picture; * stands for any text within a name, ? for a character, ** for any folders."
            );
    }

    // Links to folders are entered by name alone: under ** they might lead in a circle.
    private static IEnumerable<string> Below(string folder, string[] parts)
    {
        if (folder.Length > 0 && !Directory.Exists(folder))
            return [];
        DirectoryInfo here = new(folder.Length == 0 ? "." : folder);
        if (parts is [var last])
            return here.EnumerateFiles()
                .Where(file => Fits(last, file.Name) && PictureFiles.IsRead(file.Name))
                .Select(file => folder + file.Name);
        if (parts[0] == AnyFolders)
            return Below(folder, parts[1..])
                .Concat(
                    here.EnumerateDirectories()
                        .Where(inner => inner.LinkTarget is null && inner.Name[0] != '.')
                        .SelectMany(inner => Below(folder + inner.Name + Path.DirectorySeparatorChar, parts))
                );
        return here.EnumerateDirectories()
            .Where(inner => Fits(parts[0], inner.Name))
            .SelectMany(inner => Below(folder + inner.Name + Path.DirectorySeparatorChar, parts[1..]));
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
