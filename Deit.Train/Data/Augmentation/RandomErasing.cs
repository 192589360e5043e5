using Deit.Gpu;
using Deit.Model.Images;
using Deit.Train.Data.Randomness;
using Deit.Train.Options;

namespace Deit.Train.Data.Augmentation;

/// <summary>Random erasing (Zhong et al., arXiv 1708.04896) of normalised pictures, as timm does it.</summary>
/// <param name="probability">The chance of a picture to lose anything.</param>
/// <param name="mode">The values in the erased part.</param>
/// <param name="count">The most parts. Their number is uniform from 1 to this one; they share the area.</param>
internal sealed class RandomErasing(double probability, ErasingMode mode, int count) : IPlaneStep
{
    private const int Tries = 10;
    private const double SmallestArea = 0.02,
        LargestArea = 1 / 3.0,
        NarrowestAspect = 0.3;

    /// <summary>The step that the settings ask for; null for none.</summary>
    public static IPlaneStep? From(TrainTransformOptions options) =>
        options.ErasingProbability > 0
            ? new RandomErasing(options.ErasingProbability, options.ErasingMode, options.ErasingCount)
            : null;

    /// <inheritdoc/>
    public uint Site => RandomSite.RandomErasing;

    /// <inheritdoc/>
    public void Apply(Span<float> chw, int width, int height, ref RandomStream random)
    {
        if (random.NextDouble() >= probability)
            return;
        int parts = count > 1 ? 1 + random.NextInt(count) : 1;
        for (int i = 0; i < parts; i++)
            if (Choose(width, height, parts, ref random) is { } part)
                Erase(chw, width, height, part, ref random);
    }

    /// <summary>Draws a part, strictly smaller than the picture both ways; null where no try gave one.</summary>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="parts">How many parts share the area.</param>
    /// <param name="random">The draws.</param>
    public static PixelRectangle? Choose(int width, int height, int parts, ref RandomStream random)
    {
        for (int i = 0; i < Tries; i++)
        {
            double area =
                (SmallestArea + ((LargestArea - SmallestArea) * random.NextDouble())) * width * height / parts;
            double aspect = Math.Exp(Math.Log(NarrowestAspect) * (1 - (2 * random.NextDouble()))); // log-uniform in 0.3 .. 1 / 0.3
            int h = (int)Math.Round(Math.Sqrt(area * aspect)),
                w = (int)Math.Round(Math.Sqrt(area / aspect));
            if (w >= width || h >= height)
                continue;
            int y = random.NextInt(height - h + 1),
                x = random.NextInt(width - w + 1);
            return new PixelRectangle(x, y, w, h);
        }
        return null;
    }

    private void Erase(Span<float> chw, int width, int height, PixelRectangle part, ref RandomStream random)
    {
        for (int channel = 0; channel < 3; channel++)
        {
            float colour = mode == ErasingMode.Rand ? (float)random.NextNormal() : 0;
            for (int y = part.Y; y < part.Y + part.Height; y++)
            {
                Span<float> row = chw.Slice((((channel * height) + y) * width) + part.X, part.Width);
                if (mode == ErasingMode.Pixel)
                    foreach (ref float value in row)
                        value = (float)random.NextNormal();
                else
                    row.Fill(colour);
            }
        }
    }
}
