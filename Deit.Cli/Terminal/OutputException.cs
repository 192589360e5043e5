namespace Deit.Cli.Terminal;

/// <summary>The standard output cannot be written: its disk is full, or it was closed.</summary>
/// <param name="inner">What the system says.</param>
internal sealed class OutputException(Exception inner)
    : DeitException(
        DeitErrorKind.Output,
        $"Writing the standard output failed: {Cause(inner)}; the answer is incomplete, give the output another place.",
        inner
    )
{
    // The wrapper that .NET puts around "Bad file descriptor" speaks of a path, and there is none.
    private static string Cause(Exception error) =>
        FileSizeLimit.IsCauseOf(error) ? FileSizeLimit.Cause : (error.InnerException ?? error).Message.TrimEnd('.');
}
