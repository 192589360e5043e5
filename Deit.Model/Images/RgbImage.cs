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
            throw new ArgumentException($"An RGB image of {width} x {height} has {pixels.Length} bytes, expected "
                + $"{(long)width * height * 3}.", nameof(pixels));
        (Width, Height, Pixels) = (width, height, pixels);
    }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>[Height, Width, 3] bytes, sRGB.</summary>
    public byte[] Pixels { get; }
}
