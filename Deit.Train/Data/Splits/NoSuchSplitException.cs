namespace Deit.Train.Data.Splits;

/// <summary>Data does not have the split that was asked for.</summary>
/// <param name="message">Which splits it has instead.</param>
internal sealed class NoSuchSplitException(string message) : DeitException(DeitErrorKind.Data, message);
