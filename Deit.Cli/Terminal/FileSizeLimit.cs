namespace Deit.Cli.Terminal;

/// <summary>Writes beyond the limit on file sizes (<c>ulimit -f</c>).</summary>
internal static class FileSizeLimit
{
    /// <summary>What happened, without a point at its end.</summary>
    public const string Cause =
        "the file would be larger than the limit on file sizes (ulimit -f) or its file system allows";

    // .NET makes of the system's "File too large" an error of an argument that nobody gave.
    private static readonly string[] Writers =
    [
        "System.ConsolePal.Write(",
        "System.IO.RandomAccess.WriteAtOffset(",
        "System.IO.RandomAccess.WriteGatherAtOffset(",
        "System.IO.RandomAccess.SetFileLength(",
    ];

    /// <summary>Whether an exception says that a file would become too large.</summary>
    /// <param name="error">The exception.</param>
    public static bool IsCauseOf(Exception error) =>
        error is ArgumentOutOfRangeException { ParamName: "value", StackTrace: { } trace }
        && trace.Split('\n')[0] is var first
        && Writers.Any(writer => first.Contains(writer, StringComparison.Ordinal));
}
