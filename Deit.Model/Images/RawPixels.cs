namespace Deit.Model.Images;

/// <summary>Takes a picture from a program's memory.</summary>
internal static class RawPixels
{
    /// <summary>Copies pixels of any format into an image.</summary>
    /// <param name="pixels">Rows of <paramref name="strideBytes"/> bytes, of which the last may end with its last pixel.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="strideBytes">Bytes from a row to the next.</param>
    /// <param name="format">The layout of a pixel.</param>
    /// <exception cref="ArgumentException">The numbers do not fit each other.</exception>
    public static RgbImage ToImage(
        ReadOnlySpan<byte> pixels,
        int width,
        int height,
        int strideBytes,
        PixelFormat format
    )
    {
        int bytes = BytesPerPixel(format);
        if (width < 1 || height < 1 || (long)width * height > Array.MaxLength / 3)
            throw new ArgumentException(
                $"A picture in memory is said to have {width} x {height} pixels, expected at least 1 x 1 and "
                    + $"at most {Array.MaxLength / 3} in all; correct width and height."
            );
        long row = (long)width * bytes,
            needed = ((long)strideBytes * (height - 1)) + row;
        if (strideBytes < row)
            throw new ArgumentException(
                $"A picture in memory of {width} {format} pixels a row is said to have a stride of "
                    + $"{strideBytes} bytes, expected at least {row}; correct width, stride or format."
            );
        if (pixels.Length < needed)
            throw new ArgumentException(
                $"A picture in memory of {width} x {height} {format} pixels with a stride of {strideBytes} "
                    + $"bytes has {pixels.Length} bytes, expected at least {needed}; correct the size, stride or "
                    + "format."
            );
        byte[] rgb = GC.AllocateUninitializedArray<byte>(width * height * 3);
        for (int y = 0; y < height; y++)
            Convert(
                pixels.Slice(checked((int)((long)y * strideBytes)), (int)row),
                rgb.AsSpan(y * width * 3, width * 3),
                format,
                bytes
            );
        return new RgbImage(width, height, rgb);
    }

    private static int BytesPerPixel(PixelFormat format) =>
        format switch
        {
            PixelFormat.Rgb24 or PixelFormat.Bgr24 => 3,
            PixelFormat.Rgba32 or PixelFormat.Bgra32 => 4,
            PixelFormat.Gray8 => 1,
            _ => throw new ArgumentException(
                $"A picture in memory is said to be of format {format}, expected one of "
                    + $"{string.Join(", ", Enum.GetNames<PixelFormat>())}; correct the format."
            ),
        };

    private static void Convert(ReadOnlySpan<byte> row, Span<byte> rgb, PixelFormat format, int bytes)
    {
        if (format == PixelFormat.Rgb24)
        {
            row.CopyTo(rgb);
            return;
        }
        (int red, int green, int blue) = format switch
        {
            PixelFormat.Gray8 => (0, 0, 0),
            PixelFormat.Rgba32 => (0, 1, 2),
            _ => (2, 1, 0),
        };
        for (int from = 0, to = 0; from < row.Length; from += bytes, to += 3)
            (rgb[to], rgb[to + 1], rgb[to + 2]) = (row[from + red], row[from + green], row[from + blue]);
    }
}
