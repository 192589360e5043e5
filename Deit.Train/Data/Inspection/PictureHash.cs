using System.Numerics;

namespace Deit.Train.Data.Inspection;

/// <summary>
/// 256 bits that say what a picture looks like. Pictures that differ in size, in format or in the loss of a format differ
/// in few of them; pictures of different things differ in about a half.
/// </summary>
internal readonly record struct PictureHash(ulong A, ulong B, ulong C, ulong D)
{
    /// <summary>Words of 64 bits.</summary>
    public const int Words = 4;

    /// <summary>Bits in which two hashes differ, 0 to 256.</summary>
    public int Distance(in PictureHash other) =>
        BitOperations.PopCount(A ^ other.A)
        + BitOperations.PopCount(B ^ other.B)
        + BitOperations.PopCount(C ^ other.C)
        + BitOperations.PopCount(D ^ other.D);

    /// <summary>Writes the words.</summary>
    public void CopyTo(Span<ulong> words) => (words[0], words[1], words[2], words[3]) = (A, B, C, D);
}
