using System.Runtime.InteropServices;
using Deit.Model.Files;
using Deit.Model.Images;
using Deit.Train.Analysis;
using SkiaSharp;

namespace Deit.Cli.Analysis;

/// <summary>
/// A white picture to draw rectangles, pictures and text on. It is the same on every machine, because the font comes from this assembly,
/// but for characters that this font lacks (see <see cref="LabelFonts"/>).
/// </summary>
internal sealed class Drawing : IDisposable
{
    private readonly SKBitmap _bitmap;
    private readonly SKCanvas _canvas;

    /// <summary>Makes a white picture.</summary>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <exception cref="DeitException">It would be too large to draw.</exception>
    public Drawing(int width, int height)
    {
        const int MostPixels = 1 << 28; // a gigabyte of memory
        if ((long)width * height > MostPixels)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Drawing a picture of {width} x {height} pixels failed: expected at most {MostPixels} pixels; "
                    + "show less in it."
            );
        _bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgb888x, SKAlphaType.Opaque));
        _canvas = new SKCanvas(_bitmap);
        _canvas.Clear(SKColors.White);
    }

    /// <summary>Columns.</summary>
    public int Width => _bitmap.Width;

    /// <summary>Rows.</summary>
    public int Height => _bitmap.Height;

    /// <summary>Fills a rectangle.</summary>
    public void Fill(float x, float y, float width, float height, Rgb color)
    {
        using SKPaint paint = new() { Color = Color(color) };
        _canvas.DrawRect(x, y, width, height, paint);
    }

    /// <summary>Draws the outline of a rectangle, one pixel wide, inside of it.</summary>
    public void Frame(float x, float y, float width, float height, Rgb color)
    {
        using SKPaint paint = new()
        {
            Color = Color(color),
            Style = SKPaintStyle.Stroke,
            StrokeWidth = 1,
        };
        _canvas.DrawRect(x + 0.5f, y + 0.5f, width - 1, height - 1, paint);
    }

    /// <summary>Writes a line of text whose middle height is at y.</summary>
    /// <param name="text">The text.</param>
    /// <param name="x">Left end, middle or right end.</param>
    /// <param name="y">The middle of its digits' height.</param>
    /// <param name="size">Font size in pixels.</param>
    /// <param name="color">The colour.</param>
    /// <param name="align">The part of the line that lies at x.</param>
    /// <param name="upwards">True for a line that is read upwards: x and y then change their roles.</param>
    public void Text(
        string text,
        float x,
        float y,
        float size,
        Rgb color,
        SKTextAlign align = SKTextAlign.Left,
        bool upwards = false
    )
    {
        using SKPaint paint = new() { Color = Color(color), IsAntialias = true };
        _canvas.Save();
        _canvas.Translate(x, y);
        if (upwards)
            _canvas.RotateDegrees(-90);
        LabelFonts.OfMachine.Draw(_canvas, text, 0, 0.365f * size, size, align, paint); // digits of this font are 0.73 high
        _canvas.Restore();
    }

    /// <summary>Width of a line of text in pixels.</summary>
    public static float TextWidth(string text, float size) => LabelFonts.OfMachine.Width(text, size);

    /// <summary>The text, or as much of it as fits with an ellipsis.</summary>
    public static string Shortened(string text, float size, float width)
    {
        if (TextWidth(text, size) <= width)
            return text;
        int length = text.Length;
        while (length > 0 && (char.IsHighSurrogate(text[length - 1]) || TextWidth(text[..length] + "…", size) > width))
            length--;
        return text[..length] + "…";
    }

    /// <summary>Copies a picture.</summary>
    public void Image(RgbImage image, int x, int y)
    {
        using SKBitmap bitmap = new(
            new SKImageInfo(image.Width, image.Height, SKColorType.Rgb888x, SKAlphaType.Opaque)
        );
        byte[] row = new byte[image.Width * 4];
        for (int line = 0; line < image.Height; line++)
        {
            for (int column = 0; column < image.Width; column++)
            {
                image.Pixels.AsSpan(((line * image.Width) + column) * 3, 3).CopyTo(row.AsSpan(column * 4));
                row[(column * 4) + 3] = byte.MaxValue;
            }
            Marshal.Copy(row, 0, bitmap.GetPixels() + (line * bitmap.RowBytes), row.Length);
        }
        _canvas.DrawBitmap(bitmap, x, y, new SKSamplingOptions(SKFilterMode.Nearest));
    }

    /// <summary>Writes a PNG file, replacing one of that name.</summary>
    /// <exception cref="DeitException">The file cannot be written; one that was there is intact.</exception>
    public void SavePng(string path) =>
        AtomicFile.Write(
            path,
            stream =>
            {
                if (!_bitmap.Encode(stream, SKEncodedImageFormat.Png, quality: 100))
                    throw new ImageException(
                        $"Writing the image '{path}' failed: {Width} x {Height} pixels could not be encoded; "
                            + "check that the folder is writable."
                    );
            }
        );

    public void Dispose()
    {
        _canvas.Dispose();
        _bitmap.Dispose();
    }

    private static SKColor Color(Rgb color) => new(color.Red, color.Green, color.Blue);
}
