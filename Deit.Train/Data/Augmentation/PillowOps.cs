using Deit.Model.Images;

namespace Deit.Train.Data.Augmentation;

/// <summary>
/// Pillow's operations on 8-bit RGB pictures, with its pixels: <c>ImageOps</c>' tables here, <c>ImageEnhance</c> and
/// affine transforms in the files beside. All work in place. An operation that needs more room borrows a scratch
/// picture of the same size. Nothing is allocated.
/// </summary>
internal static partial class PillowOps
{
    private const int Levels = 256;

    /// <summary>
    /// Stretches each channel's range to 0..255 (<c>ImageOps.autocontrast</c> without cutoff); a channel of one value stays.
    /// </summary>
    public static void AutoContrast(RgbImage image)
    {
        Span<int> histograms = stackalloc int[3 * Levels];
        Span<byte> tables = stackalloc byte[3 * Levels];
        Histograms(image.Pixels, histograms);
        for (int channel = 0; channel < 3; channel++)
        {
            ReadOnlySpan<int> histogram = histograms.Slice(channel * Levels, Levels);
            Span<byte> table = tables.Slice(channel * Levels, Levels);
            int low = histogram.IndexOfAnyExcept(0),
                high = histogram.LastIndexOfAnyExcept(0);
            double scale = high > low ? 255.0 / (high - low) : 1,
                offset = high > low ? -low * scale : 0;
            for (int i = 0; i < Levels; i++)
                table[i] = (byte)Math.Clamp((int)((i * scale) + offset), 0, 255);
        }
        Look(image.Pixels, tables);
    }

    /// <summary>Makes each channel's histogram as flat as a table can (<c>ImageOps.equalize</c>).</summary>
    public static void Equalize(RgbImage image)
    {
        Span<int> histograms = stackalloc int[3 * Levels];
        Span<byte> tables = stackalloc byte[3 * Levels];
        Histograms(image.Pixels, histograms);
        for (int channel = 0; channel < 3; channel++)
        {
            ReadOnlySpan<int> histogram = histograms.Slice(channel * Levels, Levels);
            Span<byte> table = tables.Slice(channel * Levels, Levels);
            // The step is the number of pixels for a level of the result, not counting those of the brightest value. In
            // a channel of one value no pixel is left, so the channel stays.
            int step = ((image.Width * image.Height) - histogram[histogram.LastIndexOfAnyExcept(0)]) / 255;
            int below = step / 2;
            for (int i = 0; i < Levels; i++)
            {
                table[i] = step == 0 ? (byte)i : (byte)Math.Min(below / step, 255);
                below += histogram[i];
            }
        }
        Look(image.Pixels, tables);
    }

    /// <summary>255 minus each value.</summary>
    public static void Invert(RgbImage image) => Solarize(image, 0);

    /// <summary>Keeps the upper bits of each value.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="bits">How many; 0 leaves black, 8 or more everything.</param>
    public static void Posterize(RgbImage image, int bits)
    {
        if (bits >= 8)
            return;
        Span<byte> table = stackalloc byte[Levels];
        for (int i = 0; i < Levels; i++)
            table[i] = (byte)(i & (0xFF00 >> bits));
        LookAlike(image.Pixels, table);
    }

    /// <summary>Inverts the values from a threshold on.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="threshold">The first value that is inverted; 256 for none.</param>
    public static void Solarize(RgbImage image, int threshold)
    {
        Span<byte> table = stackalloc byte[Levels];
        for (int i = 0; i < Levels; i++)
            table[i] = (byte)(i < threshold ? i : 255 - i);
        LookAlike(image.Pixels, table);
    }

    /// <summary>timm's solarize_add: brightens the values below 128.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="addition">The number added, at least 0; the result ends at 255.</param>
    public static void SolarizeAdd(RgbImage image, int addition)
    {
        const int Threshold = 128;
        Span<byte> table = stackalloc byte[Levels];
        for (int i = 0; i < Levels; i++)
            table[i] = (byte)(i < Threshold ? Math.Min(i + addition, 255) : i);
        LookAlike(image.Pixels, table);
    }

    private static void Histograms(ReadOnlySpan<byte> pixels, Span<int> histograms)
    {
        histograms.Clear();
        for (int i = 0; i < pixels.Length; i += 3)
        {
            histograms[pixels[i]]++;
            histograms[Levels + pixels[i + 1]]++;
            histograms[(2 * Levels) + pixels[i + 2]]++;
        }
    }

    // A table for each channel, one after the other.
    private static void Look(Span<byte> pixels, ReadOnlySpan<byte> tables)
    {
        for (int i = 0; i < pixels.Length; i += 3)
        {
            pixels[i] = tables[pixels[i]];
            pixels[i + 1] = tables[Levels + pixels[i + 1]];
            pixels[i + 2] = tables[(2 * Levels) + pixels[i + 2]];
        }
    }

    // One table for all channels.
    private static void LookAlike(Span<byte> pixels, ReadOnlySpan<byte> table)
    {
        foreach (ref byte value in pixels)
            value = table[value];
    }
}
