using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Deit.Model.Images;
using SkiaSharp;

namespace Deit.Tests.Model.Images;

/// <summary>Encoded pictures for tests: lossy formats by SkiaSharp, the others written byte by byte from their specifications.</summary>
internal static class EncodedImages
{
    public static byte[] Skia(RgbImage image, SKEncodedImageFormat format, int quality = 95)
    {
        using SKBitmap bitmap = Bitmap(image);
        using SKData data = bitmap.Encode(format, quality);
        return data.ToArray();
    }

    /// <summary>A JPEG with its colours stored at full size, at half the width, or at half of both.</summary>
    public static byte[] Jpeg(RgbImage image, SKJpegEncoderDownsample colours)
    {
        using SKBitmap bitmap = Bitmap(image);
        using SKPixmap pixmap = bitmap.PeekPixels();
        using SKData data = pixmap.Encode(new SKJpegEncoderOptions(90, colours, SKJpegEncoderAlphaOption.Ignore))!;
        return data.ToArray();
    }

    /// <summary>A progressive JPEG of 24 x 16 pixels, which SkiaSharp cannot write.</summary>
    public static byte[] ProgressiveJpeg =>
        Convert.FromBase64String(
            "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//"
                + "2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wgARCAAQABgDAREAAhEBAxEB/8QA"
                + "FgABAQEAAAAAAAAAAAAAAAAAAAEC/8QAFQEBAQAAAAAAAAAAAAAAAAAAAQD/2gAMAwEAAhADEAAAAREzNgNT/8QAGRAAAwEBAQAAAAAAAAAAAAAAAAETEhQC"
                + "/9oACAEBAAEFAn7uJ85PZiA10FcH/8QAGhEAAgIDAAAAAAAAAAAAAAAAABMBIgISQv/aAAgBAwEBPwGM11Fdk5tqaMsN4NFWP//EABoRAAIDAQEAAAAAAAAA"
                + "AAAAAAATAREiIwP/2gAIAQIBAT8BVeyfRuSOA2sC1aJ7n//EABcQAQADAAAAAAAAAAAAAAAAAAAREhP/2gAIAQEABj8Cqhoslm//xAAZEAACAwEAAAAAAAAA"
                + "AAAAAAAAEQExQYH/2gAIAQEAAT8hRXC+0l4jrKbCEj//2gAMAwEAAgADAAAAEC6/f//EABcRAAMBAAAAAAAAAAAAAAAAAAABESH/2gAIAQMBAT8QjopMQwM2"
                + "kEL/xAAYEQEBAQEBAAAAAAAAAAAAAAAAEQFRIf/aAAgBAgEBPxC9MEu7yco8X//EABoQAAMBAQEBAAAAAAAAAAAAAAABESExQWH/2gAIAQEAAT8QV6GCAj5u"
                + "LRzV9FJEW9eH/9k="
        );

    /// <summary>A JPEG of 21 x 13 pixels in cyan, magenta, yellow and black, which Pillow wrote.</summary>
    public static byte[] CmykJpeg =>
        Convert.FromBase64String(
            "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwANCQoLCggNCwoLDg4NDxMgFRMSEhMnHB4XIC4pMTAuKS0sMzpKPjM2RjcsLUBXQUZMTlJTUjI+WmFaUGBKUVJP/8AA"
                + "FAgADQAVBEMRAE0RAFkRAEsRAP/EABoAAAICAwAAAAAAAAAAAAAAAAQGAgUAAwf/xAAmEAABAwMDBAIDAAAAAAAAAAAAAQIDBAUREhQhBjEyYSLRI2Kh/9oA"
                + "DgRDAE0AWQBLAAA/AALVD24NUfTv6DvJN7HiSb2OFuj0tRQhOn9Lc6AOoqUa1VyDrJqdguYvEElsfy8Chqq38vcKi8TmVvqH8HQ9uw31Fwm5+yW3YNFuqH8G"
                + "bdhVVNwm5+zNuwYaeRXR5VCLqKFy5VCpnrHuflU/pNsaNTCKf//Z"
        );

    /// <summary>A WebP that keeps every byte.</summary>
    public static byte[] LosslessWebp(RgbImage image)
    {
        using SKBitmap bitmap = Bitmap(image);
        using SKPixmap pixmap = bitmap.PeekPixels();
        using SKData data = pixmap.Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossless, 100))!;
        return data.ToArray();
    }

    /// <summary>A JPEG with one channel.</summary>
    public static byte[] GreyJpeg(int width, int height, byte level)
    {
        using SKBitmap bitmap = new(new SKImageInfo(width, height, SKColorType.Gray8, SKAlphaType.Opaque));
        bitmap.GetPixelSpan().Fill(level);
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 95);
        return data.ToArray();
    }

    /// <summary>Puts an EXIF segment with an orientation behind the start marker of a JPEG.</summary>
    public static byte[] JpegWithOrientation(byte[] jpeg, ushort orientation)
    {
        byte[] exif = [.. "Exif\0\0"u8, .. Tiff(orientation)];
        return [.. jpeg[..2], 0xFF, 0xE1, .. BigEndian16((ushort)(exif.Length + 2)), .. exif, .. jpeg[2..]];
    }

    /// <summary>Turns a simple WebP into an extended one with an EXIF chunk.</summary>
    public static byte[] WebpWithOrientation(byte[] webp, byte width, byte height, ushort orientation)
    {
        const int RiffHeader = 12,
            Exif = 0x08;
        byte[] tiff = Tiff(orientation);
        byte[] extended =
        [
            .. webp[..RiffHeader],
            .. "VP8X"u8,
            10,
            0,
            0,
            0,
            Exif,
            0,
            0,
            0,
            (byte)(width - 1),
            0,
            0,
            (byte)(height - 1),
            0,
            0,
            .. webp[RiffHeader..],
            .. "EXIF"u8,
            (byte)tiff.Length,
            0,
            0,
            0,
            .. tiff,
        ];
        BinaryPrimitives.WriteInt32LittleEndian(extended.AsSpan(4), extended.Length - 8);
        return extended;
    }

    /// <summary>Puts a chunk into a PNG, in front of the picture's data or behind it.</summary>
    public static byte[] PngWithChunk(byte[] png, string type, byte[] data, bool behind = false)
    {
        using MemoryStream chunk = new();
        Chunk(chunk, type, data);
        int at = behind ? png.Length - 12 : 8 + 25; // before IEND, or behind signature and IHDR
        return [.. png[..at], .. chunk.ToArray(), .. png[at..]];
    }

    /// <summary>The TIFF structure of EXIF with the orientation tag alone.</summary>
    public static byte[] Tiff(ushort orientation) =>
        [
            .. "MM\0*"u8,
            0,
            0,
            0,
            8, /* one entry: */
            0,
            1,
            /* tag */0x01,
            0x12, /* SHORT */
            0,
            3, /* count */
            0,
            0,
            0,
            1,
            .. BigEndian16(orientation),
            0,
            0,
            /* no more */0,
            0,
            0,
            0,
        ];

    /// <summary>A PNG, written by the specification.</summary>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="bits">Bits a sample.</param>
    /// <param name="colourType">0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA.</param>
    /// <param name="rows">The rows' samples without filter bytes.</param>
    /// <param name="palette">PLTE.</param>
    /// <param name="transparency">tRNS.</param>
    public static byte[] Png(
        int width,
        int height,
        byte bits,
        byte colourType,
        byte[] rows,
        byte[]? palette = null,
        byte[]? transparency = null
    )
    {
        using MemoryStream png = new(),
            packed = new();
        png.Write([0x89, .. "PNG\r\n\u001A\n"u8]);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (bits, colourType);
        Chunk(png, "IHDR", header);
        if (palette is not null)
            Chunk(png, "PLTE", palette);
        if (transparency is not null)
            Chunk(png, "tRNS", transparency);
        using (ZLibStream zlib = new(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            int rowBytes = height == 0 ? 0 : rows.Length / height;
            for (int y = 0; y < height && rows.Length > 0; y++)
            {
                zlib.WriteByte(0); // no filter
                zlib.Write(rows, y * rowBytes, rowBytes);
            }
        }
        Chunk(png, "IDAT", packed.ToArray());
        Chunk(png, "IEND", []);
        return png.ToArray();
    }

    /// <summary>A 24-bit BMP: rows bottom to top, B, G, R, each row filled up to four bytes.</summary>
    public static byte[] Bmp(RgbImage image)
    {
        int stride = ((image.Width * 3) + 3) & ~3;
        byte[] file = new byte[54 + (stride * image.Height)];
        "BM"u8.CopyTo(file);
        (int Offset, int Value)[] header =
        [
            (2, file.Length),
            (10, 54),
            (14, 40),
            (18, image.Width),
            (22, image.Height),
            (26, 1 | (24 << 16)),
            (34, stride * image.Height),
        ];
        foreach ((int offset, int value) in header)
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(offset), value);
        for (int y = 0; y < image.Height; y++)
        for (int x = 0; x < image.Width; x++)
        {
            (int r, int g, int b) = image.At(x, image.Height - 1 - y);
            Span<byte> pixel = file.AsSpan(54 + (y * stride) + (x * 3), 3);
            (pixel[0], pixel[1], pixel[2]) = ((byte)b, (byte)g, (byte)r);
        }
        return file;
    }

    /// <summary>A GIF with a palette of 128 colours and frames of palette indices.</summary>
    public static byte[] Gif(int width, int height, byte[] palette, params byte[][] frames) =>
        Gif(width, height, palette, restores: false, frames);

    /// <summary>The same; with <paramref name="restores"/> each frame gives place to what was there before it.</summary>
    public static byte[] Gif(int width, int height, byte[] palette, bool restores, params byte[][] frames)
    {
        using MemoryStream gif = new();
        gif.Write([.. "GIF89a"u8, .. LittleEndian16(width), .. LittleEndian16(height), 0xF6, 0, 0, .. palette]);
        foreach (byte[] frame in frames)
        {
            gif.Write([
                0x21,
                0xF9,
                4,
                (byte)(restores ? 3 << 2 : 0),
                10,
                0,
                0,
                0,
                0x2C,
                0,
                0,
                0,
                0,
                .. LittleEndian16(width),
                .. LittleEndian16(height),
                0,
                7,
            ]);
            // Codes have 8 bits while the table is short: a clear code every 100 pixels keeps it so, and each code is then a byte.
            byte[] codes = [.. frame.Chunk(100).SelectMany(part => (byte[])[128, .. part]), 129];
            foreach (byte[] block in codes.Chunk(255))
                gif.Write([(byte)block.Length, .. block]);
            gif.WriteByte(0);
        }
        gif.WriteByte(0x3B);
        return gif.ToArray();
    }

    private static SKBitmap Bitmap(RgbImage image) =>
        new(new SKImageInfo(image.Width, image.Height, SKColorType.Rgb888x, SKAlphaType.Opaque))
        {
            Pixels = [.. image.Pixels.Chunk(3).Select(pixel => new SKColor(pixel[0], pixel[1], pixel[2]))],
        };

    private static void Chunk(Stream png, string type, byte[] data)
    {
        byte[] content = [.. Encoding.ASCII.GetBytes(type), .. data];
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        png.Write(number);
        png.Write(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32(content));
        png.Write(number);
    }

    private static uint Crc32(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1)));
        }
        return ~crc;
    }

    private static byte[] BigEndian16(ushort value) => [(byte)(value >> 8), (byte)value];

    private static byte[] LittleEndian16(int value) => [(byte)value, (byte)(value >> 8)];
}
