namespace Deit.Train.Reporting;

/// <summary>Words of a command line as a POSIX shell reads them.</summary>
internal static class ShellWord
{
    /// <summary>The word as it is where no letter of it means anything to a shell, else in quotes.</summary>
    public static string Quoted(string word) =>
        word.Length > 0 && word.All(letter => char.IsAsciiLetterOrDigit(letter) || "-_./=,:+@%".Contains(letter))
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
