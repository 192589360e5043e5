namespace Deit.Model;

/// <summary>
/// An error that the user can mend. Its message is one sentence with the operation, the actual value, the expected one
/// and the remedy. Commands print the message alone and exit with 1.
/// </summary>
/// <param name="message">The sentence.</param>
/// <param name="inner">The exception behind it.</param>
public class DeitException(string message, Exception? inner = null) : Exception(message, inner);
