using System.Text;
using Deit.Cli.Terminal;
using Deit.Model;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;

namespace Deit.Cli.Commands;

/// <summary>The pictures that a command line names: files, folders, patterns, and lists of all of these.</summary>
internal static class PictureArguments
{
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
            return argument.AsSpan().ContainsAny('*', '?') ? new PicturePattern(argument, fail).Matches() : [argument];
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
}
