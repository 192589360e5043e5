using Deit.Model.Files;
using SkiaSharp;

namespace Deit.Model.Images;

/// <summary>Writes pictures.</summary>
internal static class ImageEncoder
{
    /// <summary>Writes a PNG file, replacing one of that name.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="DeitException">The file cannot be written; one that was there is intact.</exception>
    public static void SavePng(RgbImage image, string path) =>
        AtomicFile.Write(path, stream => WritePng(image, stream, path));

    /// <summary>Writes a PNG file to a stream.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="stream">Where to; left open.</param>
    /// <param name="name">The name of the picture in errors.</param>
    /// <exception cref="ImageException">The picture could not be encoded.</exception>
    public static void WritePng(RgbImage image, Stream stream, string name)
    {
        using SKBitmap bitmap = Bitmap(image);
        if (!bitmap.Encode(stream, SKEncodedImageFormat.Png, quality: 100))
            throw new ImageException(
                $"Writing the image '{name}' failed: {image.Width} x {image.Height} pixels could not be "
                    + "encoded; check that the folder is writable."
            );
    }

    /// <summary>The bytes of a JPEG file.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="quality">1 to 100.</param>
    /// <exception cref="ImageException">The picture could not be encoded.</exception>
    public static byte[] Jpeg(RgbImage image, int quality)
    {
        using SKBitmap bitmap = Bitmap(image);
        using SKData? data = bitmap.Encode(SKEncodedImageFormat.Jpeg, quality);
        return data?.ToArray()
            ?? throw new ImageException(
                $"Encoding a picture of {image.Width} x {image.Height} pixels as JPEG failed; make it smaller."
            );
    }

    private static unsafe SKBitmap Bitmap(RgbImage image)
    {
        SKBitmap bitmap = new(new SKImageInfo(image.Width, image.Height, SKColorType.Rgb888x, SKAlphaType.Opaque));
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
        return bitmap;
    }
}
