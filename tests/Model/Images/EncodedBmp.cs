using System.Buffers.Binary;

namespace Deit.Tests.Model.Images;

/// <summary>BMP files, written by the specification of their headers (BITMAPCOREHEADER, BITMAPINFOHEADER).</summary>
internal static class EncodedBmp
{
    /// <summary>No compression, runs of bytes, runs of half bytes, masks of the channels.</summary>
    public const int Plain = 0,
        Runs8 = 1,
        Runs4 = 2,
        Masks = 3;

    private const int FileHeader = 14;

    /// <summary>A file with the usual header of 40 bytes.</summary>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows; negative where the first row of the data is the top one.</param>
    /// <param name="bits">Bits a pixel.</param>
    /// <param name="rows">The data: rows filled up to four bytes, or runs.</param>
    /// <param name="palette">B, G, R, 0 a colour.</param>
    /// <param name="compression">How the data is packed.</param>
    /// <param name="masks">The masks of red, green and blue.</param>
    public static byte[] Write(
        int width,
        int height,
        int bits,
        byte[] rows,
        byte[]? palette = null,
        int compression = Plain,
        uint[]? masks = null
    )
    {
        byte[] header = new byte[40 + (4 * (masks?.Length ?? 0))];
        (int Offset, int Value)[] fields =
        [
            (0, 40),
            (4, width),
            (8, height),
            (12, 1 | (bits << 16)), // planes, bits
            (16, compression),
            (20, rows.Length),
            (32, (palette?.Length ?? 0) / 4),
        ];
        foreach ((int offset, int value) in fields)
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(offset), value);
        for (int i = 0; i < masks?.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(40 + (4 * i)), masks[i]);
        return File(header, palette ?? [], rows);
    }

    /// <summary>A file with the header of 12 bytes that OS/2 wrote; a colour of its palette has three bytes.</summary>
    public static byte[] WriteCore(short width, short height, short bits, byte[] rows, byte[]? palette = null)
    {
        byte[] header = new byte[12];
        header[0] = 12;
        foreach ((int offset, short value) in ((int, short)[])[(4, width), (6, height), (8, 1), (10, bits)])
            BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(offset), value);
        return File(header, palette ?? [], rows);
    }

    private static byte[] File(byte[] header, byte[] palette, byte[] rows)
    {
        byte[] start = new byte[FileHeader];
        "BM"u8.CopyTo(start);
        int data = FileHeader + header.Length + palette.Length;
        BinaryPrimitives.WriteInt32LittleEndian(start.AsSpan(2), data + rows.Length);
        BinaryPrimitives.WriteInt32LittleEndian(start.AsSpan(10), data);
        return [.. start, .. header, .. palette, .. rows];
    }
}
