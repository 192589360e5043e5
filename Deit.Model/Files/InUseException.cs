namespace Deit.Model.Files;

/// <summary>Another process holds a file or folder.</summary>
/// <param name="message">The sentence for the user.</param>
internal sealed class InUseException(string message) : DeitException(DeitErrorKind.Output, message);
