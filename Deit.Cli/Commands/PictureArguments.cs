using System.Text;
using System.Threading.Channels;
using Deit.Cli.Terminal;
using Deit.Model.Text;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;

namespace Deit.Cli.Commands;

/// <summary>The pictures that a command line names: files, folders, patterns, and lists of all of these.</summary>
internal static class PictureArguments
{
    // Longer than a program takes from one line to the next, and too short to be noticed.
    private static readonly TimeSpan Stall = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// The pictures in groups, in the order of the arguments; those of a folder or a pattern by their names. A list may come
    /// from a program that is still at work: where its next line does not come, a group ends early, and does not wait for it.
    /// </summary>
    /// <param name="arguments">Files, folders, or patterns. A name that exists is no pattern.</param>
    /// <param name="list">A file with further arguments, a line each; <c>-</c> is the standard input, null no file.</param>
    /// <param name="most">Pictures of a group at most.</param>
    /// <param name="fail">Is told of an argument that names no picture. The others follow all the same.</param>
    /// <param name="notice">Is told of folders that were not looked into, in a sentence.</param>
    /// <exception cref="DeitException">The list cannot be read.</exception>
    public static IEnumerable<string[]> Groups(
        IEnumerable<string> arguments,
        string? list,
        int most,
        Action<DeitException> fail,
        Action<string> notice
    )
    {
        List<string> group = [];
        foreach (string? argument in list is null ? arguments : arguments.Concat(Lines(list)))
        {
            if (argument is null && group.Count > 0)
                yield return Taken();
            foreach (string picture in argument is null ? [] : Of(argument, fail, notice))
            {
                group.Add(picture);
                if (group.Count == most)
                    yield return Taken();
            }
        }
        if (group.Count > 0)
            yield return Taken();

        string[] Taken()
        {
            string[] taken = [.. group];
            group.Clear();
            return taken;
        }
    }

    // The lines of a list, and null where the next one does not come. A thread of its own reads, because a read of a pipe has no end
    // of its own.
    private static IEnumerable<string?> Lines(string list)
    {
        Channel<string> lines = Channel.CreateBounded<string>(1024);
        new Thread(() => Read(list, lines.Writer)) { IsBackground = true, Name = "list of pictures" }.Start();
        while (true)
        {
            while (lines.Reader.TryRead(out string? line))
                yield return line;
            Task<bool> more = lines.Reader.WaitToReadAsync().AsTask();
            if (Task.WaitAny([more], Stall) < 0 || more.IsFaulted)
                yield return null;
            if (!more.GetAwaiter().GetResult())
                break;
        }
    }

    private static void Read(string list, ChannelWriter<string> lines)
    {
        try
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
                    lines.WriteAsync(line).AsTask().GetAwaiter().GetResult();
            }
            lines.Complete();
        }
        // Whoever takes the lines gets whatever ended them.
        catch (Exception error)
        {
            lines.Complete(error);
        }
    }

    private static string[] Of(string argument, Action<DeitException> fail, Action<string> notice)
    {
        try
        {
            if (File.Exists(argument))
                return [argument];
            if (Directory.Exists(argument))
                return InFolder(argument, notice);
            return argument.AsSpan().ContainsAny('*', '?') ? new PicturePattern(argument, fail).Matches() : [argument];
        }
        catch (DeitException error)
        {
            fail(error);
            return [];
        }
    }

    // A folder stands for the pictures in it. Folders in it are left: those of a data set would be thousands.
    private static string[] InFolder(string path, Action<string> notice)
    {
        string[] pictures = DatasetRules.Reading(
            path,
            () => PictureFiles.In(path).Order(StringComparer.Ordinal).ToArray()
        );
        string all = Path.Combine(path, "**", "*");
        if (pictures.Length == 0)
            throw new DeitException(
                DeitErrorKind.Data,
                $"'{path}' is a folder without pictures in it ({string.Join(' ', PictureFiles.Extensions)}); "
                    + $"give pictures, the folder that they lie in, or '{all}' for those of all folders in it."
            );
        int left = DatasetRules.Reading(
            path,
            () => Directory.EnumerateDirectories(path).Count(inner => Path.GetFileName(inner)[0] != '.')
        );
        if (left > 0)
            notice(
                $"'{path}' has {Plural.Of(left, "folder")} in it that {Plural.Choose(left, "was", "were")} not looked into; "
                    + $"give '{all}' for the pictures of all folders."
            );
        return pictures;
    }
}
