namespace Deit.Model;

/// <summary>
/// An error the user can mend: one sentence with operation, actual, expected and remedy. Commands print the message
/// alone and exit with 1.
/// </summary>
/// <param name="message">The sentence.</param>
/// <param name="inner">The exception behind it.</param>
public class DeitException(string message, Exception? inner = null) : Exception(message, inner);
