using System.Runtime.Intrinsics;

namespace Deit.Model.Images;

/// <summary>Collects decoded RGBA rows as RGB, turned upright as the EXIF orientation (1 to 8) asks.</summary>
internal sealed class OrientedPixels
{
    private readonly int _width,
        _height;

    // Where the stored pixel (x, y) goes: origin + x * stepX + y * stepY bytes.
    private readonly long _origin,
        _stepX,
        _stepY;
    private readonly byte[] _pixels;

    /// <summary>Allocates the picture.</summary>
    /// <param name="storedWidth">Columns as stored in the file.</param>
    /// <param name="storedHeight">Rows as stored in the file.</param>
    /// <param name="orientation">
    /// The EXIF tag 0x0112: 1 upright, 2 mirrored left-right, 3 turned by 180 degrees, 4 mirrored top-bottom, 5 transposed,
    /// 6 to be turned clockwise, 7 transposed over the other diagonal, 8 to be turned counter-clockwise.
    /// </param>
    public OrientedPixels(int storedWidth, int storedHeight, int orientation)
    {
        bool swapped = orientation >= 5;
        (_width, _height) = swapped ? (storedHeight, storedWidth) : (storedWidth, storedHeight);
        bool flipX = orientation is 2 or 3 or 6 or 7,
            flipY = orientation is 3 or 4 or 7 or 8; // of the upright picture
        long column = flipX ? -3 : 3,
            row = (flipY ? -3L : 3L) * _width;
        (_stepX, _stepY) = swapped ? (row, column) : (column, row);
        _origin = (flipX ? 3L * (_width - 1) : 0) + (flipY ? 3L * _width * (_height - 1) : 0);
        _pixels = new byte[(long)storedWidth * storedHeight * 3];
    }

    /// <summary>Stores a part.</summary>
    /// <param name="rgba">[height of the part, width of the part, 4].</param>
    /// <param name="part">Where it lies in the file.</param>
    public void Store(ReadOnlySpan<byte> rgba, PixelRectangle part)
    {
        long origin = _origin + (part.X * _stepX) + (part.Y * _stepY);
        if (_stepX == 3)
        {
            for (int y = 0; y < part.Height; y++)
                Pack(
                    rgba.Slice(y * part.Width * 4, part.Width * 4),
                    _pixels.AsSpan((int)(origin + (y * _stepY)), part.Width * 3)
                );
            return;
        }
        // Down the columns: a turned picture is then written along its rows, and the strip that is read fits the cache.
        for (int x = 0; x < part.Width; x++)
        {
            for (int y = 0; y < part.Height; y++)
            {
                ReadOnlySpan<byte> source = rgba.Slice(((y * part.Width) + x) * 4, 3);
                Span<byte> target = _pixels.AsSpan((int)(origin + (x * _stepX) + (y * _stepY)), 3);
                (target[0], target[1], target[2]) = (source[0], source[1], source[2]);
            }
        }
    }

    /// <summary>The upright picture; nothing may be stored afterwards.</summary>
    public RgbImage ToImage() => new(_width, _height, _pixels);

    private static void Pack(ReadOnlySpan<byte> rgba, Span<byte> rgb)
    {
        Vector128<byte> order = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
        int from = 0,
            to = 0;
        // Each store writes four bytes too many, which the next one replaces.
        for (; to + 16 <= rgb.Length; from += 16, to += 12)
            Vector128.Shuffle(Vector128.Create(rgba[from..]), order).CopyTo(rgb[to..]);
        for (; to < rgb.Length; from += 4, to += 3)
            rgba.Slice(from, 3).CopyTo(rgb[to..]);
    }
}
