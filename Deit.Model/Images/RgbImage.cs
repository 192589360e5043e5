namespace Deit.Model.Images;

/// <summary>An 8-bit sRGB picture, rows top to bottom, pixels interleaved R, G, B without padding.</summary>
public sealed class RgbImage
{
    /// <summary>Wraps pixels that the image takes over.</summary>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="pixels">width * height * 3 bytes.</param>
    /// <exception cref="ArgumentException">The sizes do not fit each other.</exception>
    public RgbImage(int width, int height, byte[] pixels)
    {
        if (width < 1 || height < 1 || pixels.Length != (long)width * height * 3)
            throw new ArgumentException(
                $"An RGB image of {width} x {height} has {pixels.Length} bytes, expected "
                    + $"{(long)width * height * 3}.",
                nameof(pixels)
            );
        (Width, Height, Pixels) = (width, height, pixels);
    }

    /// <summary>
    /// Decodes a JPEG, PNG, WebP, GIF (first frame) or BMP file: alpha is left out, colour profiles are ignored, and
    /// the EXIF orientation is applied.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ImageException">The file cannot be read, is no picture, is cut short, or has more than 256
    /// million pixels.</exception>
    public static RgbImage Decode(string path) => ImageDecoder.Decode(path);

    /// <summary>Decodes the rest of a stream, as <see cref="Decode(string)"/>.</summary>
    /// <param name="encoded">The encoded picture; stays open.</param>
    /// <exception cref="ImageException">The data is no picture, is cut short, or has more than 256 million pixels.</exception>
    /// <exception cref="IOException">The stream fails.</exception>
    public static RgbImage Decode(Stream encoded) => ImageDecoder.Decode(encoded, "stream");

    /// <summary>Decodes a picture in memory, as <see cref="Decode(string)"/>.</summary>
    /// <param name="encoded">The whole encoded picture.</param>
    /// <exception cref="ImageException">The data is no picture, is cut short, or has more than 256 million pixels.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> encoded) => ImageDecoder.Decode(encoded, "in memory");

    /// <summary>Reads a file without blocking a thread where the system can, and decodes it on a thread of the pool, as
    /// <see cref="Decode(string)"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Ends the reading; decoding that has begun ends first.</param>
    /// <exception cref="ImageException">The file cannot be read, is no picture, is cut short, or has more than 256
    /// million pixels.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Task<RgbImage> DecodeAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        return ImageDecoder.DecodeAsync(path, cancellationToken);
    }

    /// <summary>Reads the rest of a stream without blocking a thread, and decodes it on a thread of the pool.</summary>
    /// <param name="encoded">The encoded picture; stays open.</param>
    /// <param name="cancellationToken">As of <see cref="DecodeAsync(string, CancellationToken)"/>.</param>
    /// <exception cref="ImageException">The data is no picture, is cut short, or has more than 256 million pixels.</exception>
    /// <exception cref="IOException">The stream fails.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Task<RgbImage> DecodeAsync(Stream encoded, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(encoded);
        return ImageDecoder.DecodeAsync(encoded, "stream", cancellationToken);
    }

    /// <summary>Decodes a picture in memory on a thread of the pool.</summary>
    /// <param name="encoded">The whole encoded picture, not to be changed before the answer.</param>
    /// <param name="cancellationToken">As of <see cref="DecodeAsync(string, CancellationToken)"/>.</param>
    /// <exception cref="ImageException">The data is no picture, is cut short, or has more than 256 million pixels.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Task<RgbImage> DecodeAsync(
        ReadOnlyMemory<byte> encoded,
        CancellationToken cancellationToken = default
    ) => Task.Run(() => Decode(encoded.Span), cancellationToken);

    /// <summary>Copies pixels of a program's memory.</summary>
    /// <param name="pixels">Rows of <paramref name="strideBytes"/> bytes, top to bottom; the last may end with its last pixel.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="strideBytes">Bytes from a row to the next.</param>
    /// <param name="format">The layout of a pixel; alpha is left out.</param>
    /// <exception cref="ArgumentException">The numbers do not fit each other.</exception>
    public static RgbImage FromPixels(
        ReadOnlySpan<byte> pixels,
        int width,
        int height,
        int strideBytes,
        PixelFormat format
    ) => RawPixels.ToImage(pixels, width, height, strideBytes, format);

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>[Height, Width, 3] bytes, sRGB.</summary>
    public byte[] Pixels { get; }
}
