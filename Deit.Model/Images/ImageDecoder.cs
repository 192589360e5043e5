using System.Buffers;
using System.Text;
using Deit.Model.Files;
using SkiaSharp;

namespace Deit.Model.Images;

/// <summary>Chooses the part of a picture that is needed once its size is known.</summary>
/// <param name="width">Columns of the upright picture.</param>
/// <param name="height">Rows of the upright picture.</param>
internal delegate PixelRectangle ImagePart(int width, int height);

/// <summary>
/// Reads JPEG, PNG, WebP, GIF (first frame) and BMP into 8-bit RGB. Alpha is dropped, not blended, and colour profiles are ignored, as
/// Pillow's <c>convert("RGB")</c> does; the EXIF orientation of JPEG, PNG and WebP is applied. Thread-safe.
/// </summary>
internal static partial class ImageDecoder
{
    /// <summary>The most pixels a picture may have unless the caller says otherwise.</summary>
    public const long DefaultPixelLimit = 256_000_000;

    // A block of a JPEG is up to 32 columns wide where colours are stored at a quarter of the width. Colours are
    // smoothed between blocks, so the outermost block of a decoded part may differ a little from the same block of the
    // whole picture.
    private const int WidestBlock = 32;

    // Rows of a JPEG are decoded a strip at a time: the only full-size buffer is then the result.
    private const int StripBytes = 1 << 20;

    private const int LongestStart = 1024;

    private static ReadOnlySpan<byte> JpegEnd => [0xFF, 0xD9];

    /// <summary>Decodes a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="minimumSide">
    /// 0 decodes at full size. Otherwise a JPEG may be decoded at n/8 of its size as long as both sides stay at least twice this many
    /// pixels, which is faster and needs less memory but changes the pixels slightly.
    /// </param>
    /// <param name="pixelLimit">Larger pictures are refused before memory is allocated for them.</param>
    /// <param name="part">
    /// Chooses the part whose pixels are needed; the others may then be left black, which spares a JPEG at full size much of its decoding.
    /// </param>
    /// <exception cref="ImageException">The file cannot be read, is no picture, is cut short, or is too large.</exception>
    public static RgbImage Decode(
        string path,
        int minimumSide = 0,
        long pixelLimit = DefaultPixelLimit,
        ImagePart? part = null
    )
    {
        try
        {
            using FileStream stream = Open(path, FileOptions.SequentialScan);
            return Decode(stream, path, minimumSide, pixelLimit, part);
        }
        catch (Exception error) when (IsReadFailure(error))
        {
            throw Unreadable(path, error);
        }
    }

    /// <summary>Decodes the rest of a stream.</summary>
    /// <param name="stream">The encoded picture; stays open.</param>
    /// <param name="name">The name of the picture in errors.</param>
    /// <param name="minimumSide">As in <see cref="Decode(string, int, long, ImagePart)"/>.</param>
    /// <param name="pixelLimit">As in <see cref="Decode(string, int, long, ImagePart)"/>.</param>
    /// <param name="part">As in <see cref="Decode(string, int, long, ImagePart)"/>.</param>
    /// <exception cref="ImageException">The data is no picture, is cut short, or is too large.</exception>
    /// <exception cref="IOException">The stream fails.</exception>
    public static RgbImage Decode(
        Stream stream,
        string name,
        int minimumSide = 0,
        long pixelLimit = DefaultPixelLimit,
        ImagePart? part = null
    )
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer(stream, name));
        try
        {
            int length = 0;
            for (int read; (read = stream.Read(buffer, length, buffer.Length - length)) > 0; )
            {
                length += read;
                if (length == buffer.Length && !Grow(ref buffer))
                    throw TooManyBytes(name, length);
            }
            return Decode(buffer.AsSpan(0, length), name, minimumSide, pixelLimit, part);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Decodes a picture in memory.</summary>
    /// <param name="encoded">The whole encoded picture.</param>
    /// <param name="name">The name of the picture in errors.</param>
    /// <param name="minimumSide">As in <see cref="Decode(string, int, long, ImagePart)"/>.</param>
    /// <param name="pixelLimit">As in <see cref="Decode(string, int, long, ImagePart)"/>.</param>
    /// <param name="part">As in <see cref="Decode(string, int, long, ImagePart)"/>.</param>
    /// <exception cref="ImageException">The data is no picture, is cut short, or is too large.</exception>
    public static unsafe RgbImage Decode(
        ReadOnlySpan<byte> encoded,
        string name,
        int minimumSide = 0,
        long pixelLimit = DefaultPixelLimit,
        ImagePart? part = null
    )
    {
        ArgumentOutOfRangeException.ThrowIfNegative(minimumSide);
        if (encoded.IsEmpty)
            throw NoPicture(encoded, name);
        fixed (byte* bytes = encoded)
        {
            using SKData data = SKData.Create((nint)bytes, encoded.Length);
            using SKCodec? codec = SKCodec.Create(data);
            if (codec is null)
                throw NoPicture(encoded, name);
            // A file that is cut short shows it only at its end, and decoding a part need not reach the end. A file
            // without its end mark is therefore decoded whole, so that the same files are refused for every part.
            bool complete = encoded.EndsWith(JpegEnd);
            int orientation =
                codec.EncodedFormat == SKEncodedImageFormat.Png ? PngOrientation.Of(encoded) : (int)codec.EncodedOrigin;
            // A picture that is to be turned is decoded whole, since the needed part lies elsewhere in the file.
            bool inPart = minimumSide == 0 && complete && orientation == (int)SKEncodedOrigin.TopLeft;
            (byte, byte, byte)? underAlpha =
                codec.EncodedFormat == SKEncodedImageFormat.Gif && !codec.Info.IsOpaque
                    ? GifBackground.Of(encoded)
                    : null;
            return Decode(codec, name, (orientation, underAlpha), minimumSide, pixelLimit, inPart ? part : null);
        }
    }

    private static RgbImage Decode(
        SKCodec codec,
        string name,
        (int Orientation, (byte, byte, byte)? UnderAlpha) stored,
        int minimumSide,
        long pixelLimit,
        ImagePart? part
    )
    {
        SKSizeI size = ReducedSize(codec, minimumSide);
        long pixels = (long)size.Width * size.Height;
        pixelLimit = Math.Min(pixelLimit, Array.MaxLength / 3);
        if (pixels > pixelLimit)
            throw new ImageException(
                $"Decoding the image '{name}' was refused: it has {codec.Info.Width} x {codec.Info.Height} pixels, more "
                    + $"than the limit of {pixelLimit}; scale it down or raise the limit."
            );

        // No colour space in the target: Skia then leaves the numbers as they are in the file.
        SKAlphaType alpha = codec.Info.IsOpaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul;
        SKImageInfo info = new(size.Width, size.Height, SKColorType.Rgba8888, alpha, null);
        SKCodecResult? result = null; // stays so when memory runs out
        RgbImage? image = null;
        try
        {
            OrientedPixels target = new(size.Width, size.Height, stored.Orientation);
            result =
                codec.EncodedFormat == SKEncodedImageFormat.Jpeg
                    ? DecodeStrips(codec, info, target, Needed(size, part))
                    : DecodeWhole(codec, info, target, stored.UnderAlpha);
            image = target.ToImage();
        }
        catch (OutOfMemoryException)
        {
            // This result is reported below, together with the other results.
        }
        return result switch
        {
            SKCodecResult.Success => image!,
            null => throw new ImageException(
                $"Decoding the image '{name}' failed: {size.Width} x {size.Height} pixels need up to "
                    + $"{pixels * 7 >> 20} MiB, more than is free; scale it down or decode it at reduced size."
            ),
            SKCodecResult.IncompleteInput => throw new ImageException(
                $"Decoding the image '{name}' failed: the file is cut short, its last "
                    + "rows are missing; replace or remove it."
            ),
            _ => throw new ImageException(
                $"Decoding the image '{name}' failed: its data is damaged ({result}); replace or remove it."
            ),
        };
    }

    /// <summary>The error of bytes that are no picture.</summary>
    /// <remarks>A download that failed, or a clone without Git LFS, leaves text under the name of a picture.</remarks>
    /// <param name="encoded">The bytes.</param>
    /// <param name="name">The name of the picture.</param>
    public static ImageException NoPicture(ReadOnlySpan<byte> encoded, string name)
    {
        if (encoded.IsEmpty)
            return new ImageException(
                $"Decoding the image '{name}' failed: it is empty; expected JPEG, PNG, WebP, GIF or BMP data."
            );
        if (NotRead(encoded) is { } format)
            return new ImageException(
                $"Decoding the image '{name}' failed: it is a picture of {format}, which is not read; convert it to JPEG."
            );
        FileNature nature = FileNature.OfText(encoded[..Math.Min(encoded.Length, LongestStart)]);
        return nature.Kind == FileKind.Other && nature != FileNature.Json
            ? new ImageException($"Decoding the image '{name}' failed: it is {nature.Name}; {nature.Remedy}.")
            : new ImageException(
                $"Decoding the image '{name}' failed: it is no JPEG, PNG, WebP, GIF or BMP picture or its header is "
                    + "damaged; replace or remove it."
            );
    }

    // Phones write these, and give them any name. The bytes 4 to 11 are "ftyp" and the brand of ISO/IEC 23008-12.
    private static string? NotRead(ReadOnlySpan<byte> encoded) =>
        encoded.Length < 12 || !encoded[4..].StartsWith("ftyp"u8)
            ? null
            : Encoding.ASCII.GetString(encoded[8..12]) switch
            {
                "heic" or "heix" or "heim" or "heis" or "hevc" or "hevx" => "HEIC",
                "mif1" or "msf1" => "HEIF",
                "avif" or "avis" => "AVIF",
                _ => null,
            };

    private static SKSizeI ReducedSize(SKCodec codec, int minimumSide)
    {
        SKSizeI full = codec.Info.Size;
        if (minimumSide == 0 || codec.EncodedFormat != SKEncodedImageFormat.Jpeg)
            return full;
        for (int eighths = 1; eighths < 8; eighths++)
        {
            SKSizeI size = codec.GetScaledDimensions(eighths / 8f);
            if (Math.Min(size.Width, size.Height) >= 2L * minimumSide)
                return size;
        }
        return full;
    }

    private static PixelRectangle Needed(SKSizeI size, ImagePart? part)
    {
        PixelRectangle whole = new(0, 0, size.Width, size.Height);
        if (part is null)
            return whole;
        PixelRectangle needed = part(size.Width, size.Height);
        if (!needed.IsInside(size.Width, size.Height))
            throw new InvalidOperationException(
                $"The part {needed} is empty or reaches outside the image of {size.Width} x {size.Height}."
            );
        int left = Math.Max(needed.X - WidestBlock, 0),
            right = (int)Math.Min((long)needed.X + needed.Width + WidestBlock, size.Width);
        return needed with { X = left, Width = right - left };
    }

    private static unsafe SKCodecResult DecodeStrips(
        SKCodec codec,
        SKImageInfo info,
        OrientedPixels target,
        PixelRectangle needed
    )
    {
        SKCodecResult result =
            needed.Width == info.Width
                ? codec.StartScanlineDecode(info)
                : codec.StartScanlineDecode(
                    info,
                    new SKCodecOptions(new SKRectI(needed.X, 0, needed.X + needed.Width, info.Height))
                );
        if (result != SKCodecResult.Success)
            return result;
        if (needed.Y > 0 && !codec.SkipScanlines(needed.Y))
            return SKCodecResult.IncompleteInput;
        int rowBytes = needed.Width * info.BytesPerPixel,
            rows = Math.Clamp(StripBytes / rowBytes, 1, needed.Height);
        byte[] strip = ArrayPool<byte>.Shared.Rent(checked(rows * rowBytes));
        try
        {
            for (int y = 0; y < needed.Height; y += rows)
            {
                int wanted = Math.Min(rows, needed.Height - y);
                fixed (byte* first = strip)
                    if (codec.GetScanlines((nint)first, wanted, rowBytes) != wanted)
                        return SKCodecResult.IncompleteInput;
                target.Store(strip, needed with { Y = needed.Y + y, Height = wanted });
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(strip);
        }
        return SKCodecResult.Success;
    }

    // The colour under alpha is that of pixels that are wholly transparent; null where the decoder keeps theirs.
    private static unsafe SKCodecResult? DecodeWhole(
        SKCodec codec,
        SKImageInfo info,
        OrientedPixels target,
        (byte Red, byte Green, byte Blue)? underAlpha
    )
    {
        using SKBitmap bitmap = new();
        if (!bitmap.TryAllocPixels(info))
            return null;
        SKCodecResult result = codec.GetPixels(info, bitmap.GetPixels());
        if (result == SKCodecResult.Success)
            for (int y = 0; y < info.Height; y++) // a row at a time: a span cannot cover more than 2 GiB
            {
                Span<byte> row = new((byte*)bitmap.GetPixels() + ((long)y * info.RowBytes), info.RowBytes);
                if (underAlpha is var (red, green, blue))
                    for (int x = 0; x < row.Length; x += 4)
                        if (row[x + 3] == 0)
                            (row[x], row[x + 1], row[x + 2]) = (red, green, blue);
                target.Store(row, new PixelRectangle(0, y, info.Width, 1));
            }
        return result;
    }

    private static FileStream Open(string path, FileOptions options) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, options);

    private static bool IsReadFailure(Exception error) =>
        error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException;

    private static ImageException Unreadable(string path, Exception error) =>
        new(
            $"Reading the image '{path}' failed: {ReadFailure.Reason(path, error)}; check the path and its permissions.",
            error
        );

    // Bytes of the buffer that a stream is read into at first.
    private static int FirstBuffer(Stream stream, string name)
    {
        long expected = stream.CanSeek ? stream.Length - stream.Position : 1 << 16;
        return expected < Array.MaxLength ? (int)Math.Max(expected, 1) : throw TooManyBytes(name, expected);
    }

    private static bool Grow(ref byte[] buffer)
    {
        long larger = Math.Min(buffer.Length * 2L, Array.MaxLength);
        if (larger == buffer.Length)
            return false;
        byte[] next = ArrayPool<byte>.Shared.Rent((int)larger);
        buffer.CopyTo(next, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = next;
        return true;
    }

    private static ImageException TooManyBytes(string name, long bytes) =>
        new(
            $"Reading the image '{name}' was refused: it has {bytes >> 20} MiB, more than the 2 GiB an image file may have; scale it down."
        );
}
