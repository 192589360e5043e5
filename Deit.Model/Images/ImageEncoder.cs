using Deit.Model.Checkpoints;
using SkiaSharp;

namespace Deit.Model.Images;

/// <summary>Writes pictures.</summary>
public static class ImageEncoder
{
    /// <summary>Writes a PNG file, replacing one of that name.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="DeitException">The file cannot be written; one that was there is intact.</exception>
    public static unsafe void SavePng(RgbImage image, string path)
    {
        using SKBitmap bitmap = new(new SKImageInfo(image.Width, image.Height, SKColorType.Rgb888x, SKAlphaType.Opaque));
        for (int y = 0; y < image.Height; y++)
        {
            Span<byte> row = new((byte*)bitmap.GetPixels() + ((long)y * bitmap.RowBytes), image.Width * 4);
            ReadOnlySpan<byte> source = image.Pixels.AsSpan(y * image.Width * 3, image.Width * 3);
            for (int x = 0; x < image.Width; x++)
            {
                source.Slice(x * 3, 3).CopyTo(row[(x * 4)..]);
                row[(x * 4) + 3] = byte.MaxValue;
            }
        }
        AtomicFile.Write(path, stream =>
        {
            if (!bitmap.Encode(stream, SKEncodedImageFormat.Png, quality: 100))
                throw new ImageException($"Writing the image '{path}' failed: {image.Width} x {image.Height} pixels could not be encoded; "
                    + "check that the folder is writable.");
        });
    }
}
