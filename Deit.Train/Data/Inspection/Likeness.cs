namespace Deit.Train.Data.Inspection;

/// <summary>In which way two pictures are alike.</summary>
internal enum LikenessKind
{
    /// <summary>The files are the same.</summary>
    SameBytes,

    /// <summary>The pixels are the same, the files are not.</summary>
    SamePixels,

    /// <summary>Encoded anew or resized.</summary>
    Near,

    /// <summary>Mirrored left to right.</summary>
    Mirrored,

    /// <summary>One is a part of the other.</summary>
    Cropped,
}

/// <summary>How alike two pictures are.</summary>
/// <param name="Kind">In which way.</param>
/// <param name="Distance">Bits of 256 in which their hashes differ.</param>
internal readonly record struct Likeness(LikenessKind Kind, int Distance)
{
    /// <summary>In words.</summary>
    public override string ToString() =>
        Kind switch
        {
            LikenessKind.SameBytes => "same file",
            LikenessKind.SamePixels => "same pixels",
            LikenessKind.Near => $"{Distance} of 256 bits differ",
            LikenessKind.Mirrored => $"mirrored, {Distance} of 256 bits differ",
            _ => $"cropped, {Distance} of 256 bits differ",
        };
}
