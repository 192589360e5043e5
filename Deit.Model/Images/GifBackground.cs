namespace Deit.Model.Images;

/// <summary>
/// The colour of the transparent pixels of a GIF. They are those of the transparent index and those that the first frame leaves out; under
/// alpha they have the colour of that index in the palette, which Pillow's <c>convert("RGB")</c> keeps, as it keeps the colours under the
/// alpha of other formats. The decoder itself gives black.
/// </summary>
internal static class GifBackground
{
    private const int HeaderBytes = 13,
        FlagsAt = 10,
        DescriptorBytes = 10;
    private const byte Extension = 0x21,
        GraphicControl = 0xF9,
        Image = 0x2C,
        HasPalette = 0x80;

    /// <summary>Red, green and blue; black where the file has no palette or is cut short.</summary>
    /// <param name="gif">The encoded picture.</param>
    public static (byte Red, byte Green, byte Blue) Of(ReadOnlySpan<byte> gif)
    {
        if (gif.Length < HeaderBytes)
            return default;
        ReadOnlySpan<byte> palette = Palette(gif[HeaderBytes..], gif[FlagsAt]);
        ReadOnlySpan<byte> rest = gif[Math.Min(HeaderBytes + palette.Length, gif.Length)..];
        int index = 0;
        while (rest.Length > DescriptorBytes)
            if (rest[0] == Extension)
            {
                // Its block: size 4, flags, two bytes of delay, the index.
                if (rest[1] == GraphicControl && rest[2] == 4)
                    index = (rest[3] & 1) != 0 ? rest[6] : 0;
                rest = BehindBlocks(rest[2..]);
            }
            else
            {
                byte flags = rest[0] == Image ? rest[DescriptorBytes - 1] : (byte)0;
                if ((flags & HasPalette) != 0)
                    palette = Palette(rest[DescriptorBytes..], flags);
                break;
            }
        return (3 * index) + 3 <= palette.Length
            ? (palette[3 * index], palette[(3 * index) + 1], palette[(3 * index) + 2])
            : default;
    }

    // 2, 4, ... 256 colours of three bytes.
    private static ReadOnlySpan<byte> Palette(ReadOnlySpan<byte> from, byte flags) =>
        (flags & HasPalette) == 0 ? [] : from[..Math.Min(3 * (2 << (flags & 7)), from.Length)];

    // Blocks begin with their size; one of size 0 ends them.
    private static ReadOnlySpan<byte> BehindBlocks(ReadOnlySpan<byte> blocks)
    {
        while (blocks is [> 0 and byte size, ..])
            blocks = blocks[Math.Min(size + 1, blocks.Length)..];
        return blocks.IsEmpty ? blocks : blocks[1..];
    }
}
