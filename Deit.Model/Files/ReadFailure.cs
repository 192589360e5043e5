namespace Deit.Model.Files;

/// <summary>Why a file could not be read.</summary>
internal static class ReadFailure
{
    /// <summary>
    /// The reason, as the middle of a sentence. A folder in the place of a file is called so: the system speaks of
    /// missing permissions there, and people change permissions. So is a name that is no UTF-8: it comes here with the
    /// character U+FFFD in the place of what could not be read, and no file has that name.
    /// </summary>
    /// <param name="path">What was to be read.</param>
    /// <param name="error">What the system said.</param>
    public static string Reason(string path, Exception error) =>
        Directory.Exists(path) ? "it is a folder, expected a file"
        : path.Contains('\uFFFD') && !File.Exists(path) ? "its name is no UTF-8, rename it"
        : error.Message.ReplaceLineEndings(" ").TrimEnd('.');
}
