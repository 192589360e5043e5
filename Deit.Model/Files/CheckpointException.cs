namespace Deit.Model;

/// <summary>A checkpoint cannot be read: it is missing, cut short, damaged, or of another model than
/// expected.</summary>
/// <param name="message">One sentence that names the file, the fault and the remedy.</param>
/// <param name="inner">The exception behind it.</param>
public sealed class CheckpointException(string message, Exception? inner = null)
    : DeitException(DeitErrorKind.Data, message, inner);
