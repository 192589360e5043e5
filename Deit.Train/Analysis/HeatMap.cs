using Deit.Model.Images;

namespace Deit.Train.Analysis;

/// <summary>Numbers on a grid of patches, shown on the picture of these patches.</summary>
internal static class HeatMap
{
    // The share of heat in a pixel. Cold parts are dark, and the picture still shows through hot ones.
    private const double Opacity = 0.6;

    /// <summary>Turns a model's input back into its picture, cropped and resized.</summary>
    /// <param name="chw">[3, H, W], normalised.</param>
    /// <param name="preprocess">The preprocessing that made it.</param>
    public static RgbImage Picture(ReadOnlySpan<float> chw, Preprocess preprocess)
    {
        ImageSize size = preprocess.InputSize;
        byte[] pixels = new byte[size.Pixels * 3];
        for (int channel = 0; channel < 3; channel++)
        for (int i = 0; i < size.Pixels; i++)
        {
            float value =
                (chw[(channel * size.Pixels) + i] * preprocess.StandardDeviation[channel]) + preprocess.Mean[channel];
            pixels[(i * 3) + channel] = (byte)Math.Round(Math.Clamp(value, 0, 1) * 255);
        }
        return new RgbImage(size.Width, size.Height, pixels);
    }

    /// <summary>
    /// Lays values over a picture: the smallest is black, the largest light yellow. Between the patches' middles they are interpolated.
    /// </summary>
    /// <param name="picture">The picture.</param>
    /// <param name="values">A number for each patch, row by row.</param>
    /// <param name="grid">Rows and columns of patches.</param>
    public static RgbImage Overlay(RgbImage picture, ReadOnlySpan<double> values, (int Height, int Width) grid)
    {
        double least = double.PositiveInfinity,
            largest = double.NegativeInfinity;
        foreach (double value in values)
            (least, largest) = (Math.Min(least, value), Math.Max(largest, value));
        double range = largest > least ? largest - least : 1;
        byte[] pixels = new byte[picture.Pixels.Length];
        for (int y = 0; y < picture.Height; y++)
        {
            (int row, int nextRow, double down) = Between(y, picture.Height, grid.Height);
            for (int x = 0; x < picture.Width; x++)
            {
                (int column, int nextColumn, double right) = Between(x, picture.Width, grid.Width);
                double above = Mix(values[(row * grid.Width) + column], values[(row * grid.Width) + nextColumn], right);
                double below = Mix(
                    values[(nextRow * grid.Width) + column],
                    values[(nextRow * grid.Width) + nextColumn],
                    right
                );
                int i = ((y * picture.Width) + x) * 3;
                Rgb color = new Rgb(picture.Pixels[i], picture.Pixels[i + 1], picture.Pixels[i + 2]).Towards(
                    ColorMap.Inferno((Mix(above, below, down) - least) / range),
                    Opacity
                );
                (pixels[i], pixels[i + 1], pixels[i + 2]) = (color.Red, color.Green, color.Blue);
            }
        }
        return new RgbImage(picture.Width, picture.Height, pixels);
    }

    // The two patches around a pixel, and its place between their middles, 0 to 1. At the edge both are the same patch.
    private static (int First, int Second, double Share) Between(int pixel, int pixels, int patches)
    {
        double position = Math.Clamp(((pixel + 0.5) * patches / pixels) - 0.5, 0, patches - 1);
        int first = (int)position;
        return (first, Math.Min(first + 1, patches - 1), position - first);
    }

    private static double Mix(double first, double second, double share) => first + ((second - first) * share);
}
