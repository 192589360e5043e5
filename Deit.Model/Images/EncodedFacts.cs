using SkiaSharp;

namespace Deit.Model.Images;

/// <summary>What an encoded picture says of itself, without decoding it.</summary>
/// <param name="Format">The name of the format; null where the bytes are no picture.</param>
/// <param name="Frames">Pictures in the file: more than one of an animation.</param>
/// <param name="IsCmyk">Whether its colours are those of print: a JPEG of four channels.</param>
/// <param name="IsTurned">Whether it is stored turned or mirrored, and a mark in it says so.</param>
/// <param name="Width">Columns as stored.</param>
/// <param name="Height">Rows as stored.</param>
internal readonly record struct EncodedFacts(
    string? Format,
    int Frames,
    bool IsCmyk,
    bool IsTurned,
    int Width,
    int Height
)
{
    /// <summary>Looks at all that a picture says of itself, for which it walks through the frames and texts behind the head.</summary>
    /// <param name="encoded">The whole encoded picture.</param>
    public static unsafe EncodedFacts Of(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty)
            return default;
        fixed (byte* bytes = encoded)
        {
            using SKData data = SKData.Create((nint)bytes, encoded.Length);
            using SKCodec? codec = SKCodec.Create(data);
            if (codec is null)
                return default;
            int orientation =
                codec.EncodedFormat == SKEncodedImageFormat.Png ? PngOrientation.Of(encoded) : (int)codec.EncodedOrigin;
            return new EncodedFacts(
                NameOf(codec.EncodedFormat),
                Math.Max(codec.FrameCount, 1),
                codec.EncodedFormat == SKEncodedImageFormat.Jpeg && Channels(encoded) == 4,
                orientation != (int)SKEncodedOrigin.TopLeft,
                codec.Info.Width,
                codec.Info.Height
            );
        }
    }

    /// <summary>The format and size of a picture. Looks at its head alone, however many frames and texts follow.</summary>
    /// <param name="encoded">The whole encoded picture.</param>
    /// <returns>Columns and rows as stored; no format and 0 where the bytes are no picture.</returns>
    public static unsafe (string? Format, int Width, int Height) Head(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty)
            return default;
        fixed (byte* bytes = encoded)
        {
            using SKData data = SKData.Create((nint)bytes, encoded.Length);
            using SKCodec? codec = SKCodec.Create(data);
            return codec is null ? default : (NameOf(codec.EncodedFormat), codec.Info.Width, codec.Info.Height);
        }
    }

    private static string NameOf(SKEncodedImageFormat format) =>
        format switch
        {
            SKEncodedImageFormat.Jpeg => "JPEG",
            SKEncodedImageFormat.Png => "PNG",
            SKEncodedImageFormat.Webp => "WebP",
            SKEncodedImageFormat.Gif => "GIF",
            SKEncodedImageFormat.Bmp => "BMP",
            _ => format.ToString(),
        };

    // The channels of a JPEG stand in its frame header, the segment SOFn (ITU T.81, B.2.2). 0 where there is none.
    private static int Channels(ReadOnlySpan<byte> jpeg)
    {
        const int LengthAt = 2,
            ChannelsAt = 9;
        for (int at = 2; at + ChannelsAt < jpeg.Length && jpeg[at] == 0xFF; )
        {
            byte marker = jpeg[at + 1];
            if (marker == 0xFF)
                at++; // a byte that fills
            else if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
                return jpeg[at + ChannelsAt];
            else
                at += 2 + ((jpeg[at + LengthAt] << 8) | jpeg[at + LengthAt + 1]);
        }
        return 0;
    }
}
