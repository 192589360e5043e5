namespace Deit;

/// <summary>
/// An error that the user can mend: the base of all exceptions of Deit that are not misuse of its methods. Its message
/// is one sentence with the operation, the actual value, the expected one and the remedy. Commands print the message
/// alone, and their exit code tells the kind.
/// </summary>
/// <param name="kind">The kind of failure.</param>
/// <param name="message">The sentence.</param>
/// <param name="inner">The exception behind it.</param>
public class DeitException(DeitErrorKind kind, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The kind of failure.</summary>
    public DeitErrorKind Kind { get; } = kind;
}
