using Deit.Model.Files;

namespace Deit.Train.Data.Splits;

/// <summary>Keeps what is written apart from what is read. Links are followed, so that two names of one place count as one.</summary>
internal static class OutputPlace
{
    /// <summary>Refuses an output inside the data: its folders would count as classes and its pictures would be trained on.</summary>
    /// <param name="flag">The flag that names the output.</param>
    /// <param name="output">The file or folder to write.</param>
    /// <param name="data">The data folder.</param>
    /// <exception cref="DeitException">It lies in the data, and not beside the folders of the splits.</exception>
    public static void RequireOutside(string flag, string output, string data)
    {
        if (RealPath.Inside(data, output) is not { } parts)
            return;
        // Any folder beside those of the splits is no class, so that a project may have its runs beside its data.
        if (parts is [var first, ..] && SplitNames.Of(first) is null && HasSplits(data))
            return;
        throw new DeitException(
            DeitErrorKind.Output,
            $"{flag} '{output}' lies in the data '{data}', where it would count as pictures or a class; choose a place outside "
                + "the data."
        );
    }

    /// <summary>Refuses an output folder that is around the data.</summary>
    /// <param name="flag">The flag that names the output.</param>
    /// <param name="output">The folder to write.</param>
    /// <param name="data">The data folder.</param>
    /// <exception cref="DeitException">The data lies in it.</exception>
    public static void RequireNotAround(string flag, string output, string data)
    {
        if (RealPath.Contains(output, data))
            throw new DeitException(
                DeitErrorKind.Output,
                $"The data '{data}' lies in {flag} '{output}', and whoever removes or moves that folder would lose it; choose "
                    + $"another folder, such as {Path.Combine(output, "run")}."
            );
    }

    /// <summary>Refuses to write a file over one that is read.</summary>
    /// <param name="flag">The flag that names the output.</param>
    /// <param name="file">The file to write.</param>
    /// <param name="inputs">Files and folders that are read; nothing that exists in a folder is written over.</param>
    /// <exception cref="DeitException">It is one of them.</exception>
    public static void RequireNoInput(string flag, string file, params IEnumerable<string> inputs)
    {
        if (File.Exists(file) && inputs.FirstOrDefault(input => RealPath.Contains(input, file)) is { } read)
            throw new DeitException(
                DeitErrorKind.Output,
                $"{flag} '{file}' is a file of '{read}', which is read here, and writing would destroy it; choose another file."
            );
    }

    private static bool HasSplits(string data) =>
        Directory.Exists(data)
        && Directory
            .EnumerateDirectories(data)
            .Any(folder =>
                SplitNames.Of(Path.GetFileName(folder)) is not null && Directory.EnumerateDirectories(folder).Any()
            );
}
