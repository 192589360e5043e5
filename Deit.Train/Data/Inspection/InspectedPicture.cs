using Deit.Model.Images;

namespace Deit.Train.Data.Inspection;

/// <summary>What is known of a picture once it was read: a little more than a kilobyte.</summary>
/// <param name="Split">The number of its split among those of the data.</param>
/// <param name="Index">Its number in the split.</param>
/// <param name="Class">Its class.</param>
internal sealed record InspectedPicture(int Split, int Index, int Class)
{
    /// <summary>Why it cannot be read; null of a picture that was read.</summary>
    public string? Error { get; init; }

    /// <summary>Columns, of the upright picture.</summary>
    public int Width { get; init; }

    /// <summary>Rows.</summary>
    public int Height { get; init; }

    /// <summary>What its head says; the format is null of data that stores pixels.</summary>
    public EncodedFacts Encoded { get; init; }

    /// <summary>The share of its pixels that a viewer does not show, since they are transparent.</summary>
    public double Transparent { get; init; }

    /// <summary>A hash of the encoded bytes; 0 of data that stores pixels.</summary>
    public UInt128 BytesHash { get; init; }

    /// <summary>A hash of the size and the pixels.</summary>
    public UInt128 PixelsHash { get; init; }

    /// <summary>What it looks like; null where it cannot be read.</summary>
    public SmallPicture? Small { get; init; }
}
