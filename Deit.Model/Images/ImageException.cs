namespace Deit.Model.Images;

/// <summary>A picture cannot be read, decoded or written.</summary>
/// <param name="message">One sentence that names the picture, the fault and the remedy.</param>
/// <param name="inner">The exception behind it.</param>
public sealed class ImageException(string message, Exception? inner = null)
    : DeitException(DeitErrorKind.Data, message, inner);
