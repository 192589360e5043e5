using SkiaSharp;

namespace Deit.Model.Images;

/// <summary>How much of a picture a viewer does not show.</summary>
/// <remarks>A network sees the colours below the transparency, as those of Pillow's <c>convert("RGB")</c> do.</remarks>
internal static class Transparency
{
    private const int AlphaAt = 3,
        Half = 128;

    /// <summary>The share of the pixels that let more than half of what is below them through, from 0 to 1.</summary>
    /// <param name="encoded">A whole encoded picture that can be decoded; of others the share is 0.</param>
    public static unsafe double ShareOf(ReadOnlySpan<byte> encoded)
    {
        fixed (byte* bytes = encoded)
        {
            using SKData data = SKData.Create((nint)bytes, encoded.Length);
            using SKCodec? codec = SKCodec.Create(data);
            if (codec is null || codec.Info.IsOpaque)
                return 0;
            SKSizeI size = codec.Info.Size;
            using SKBitmap colors = new();
            SKImageInfo info = new(size.Width, size.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
            if (!colors.TryAllocPixels(info) || codec.GetPixels(info, colors.GetPixels()) != SKCodecResult.Success)
                return 0;
            long transparent = 0;
            for (int y = 0; y < size.Height; y++)
            {
                ReadOnlySpan<byte> row = new((byte*)colors.GetPixels() + ((long)y * info.RowBytes), info.RowBytes);
                for (int at = AlphaAt; at < row.Length; at += info.BytesPerPixel)
                    if (row[at] < Half)
                        transparent++;
            }
            return (double)transparent / ((long)size.Width * size.Height);
        }
    }
}
