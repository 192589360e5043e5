using Deit.Gpu;
using Deit.Model.Images;

namespace Deit.Train.Data.Augmentation;

/// <summary>torchvision's RandomResizedCrop: a part of random area, shape and place, resized to the input.</summary>
/// <param name="scale">Range of the part's area over the picture's, uniform.</param>
/// <param name="ratio">Range of the part's width over its height, log-uniform.</param>
/// <param name="interpolation">The kernel of the resize.</param>
internal sealed class RandomResizedCrop(
    (double Minimum, double Maximum) scale,
    (double Minimum, double Maximum) ratio,
    ResampleFilter interpolation
) : IRandomCrop
{
    private const int Tries = 10;

    public PixelRectangle Part(int width, int height, RandomStream random) => Choose(width, height, ref random);

    public void Apply(RgbImage source, RgbImage target, ref RandomStream random)
    {
        PixelRectangle crop = Choose(source.Width, source.Height, ref random);
        Resampler.Resize(
            source,
            new Resampling(target.Width, target.Height, interpolation) { Crop = crop },
            target.Pixels
        );
    }

    /// <summary>Draws the part of a picture.</summary>
    public PixelRectangle Choose(int width, int height, ref RandomStream random)
    {
        double area = (double)width * height;
        for (int i = 0; i < Tries; i++)
        {
            double targetArea = area * Uniform(scale.Minimum, scale.Maximum, ref random);
            double aspect = Math.Exp(Uniform(Math.Log(ratio.Minimum), Math.Log(ratio.Maximum), ref random));
            int w = Round(Math.Sqrt(targetArea * aspect)),
                h = Round(Math.Sqrt(targetArea / aspect));
            if (w > 0 && h > 0 && w <= width && h <= height)
            {
                int y = random.NextInt(height - h + 1),
                    x = random.NextInt(width - w + 1);
                return new PixelRectangle(x, y, w, h);
            }
        }
        return Central(width, height);
    }

    // The largest centred part whose shape is allowed.
    private PixelRectangle Central(int width, int height)
    {
        double shape = (double)width / height;
        (int w, int h) =
            shape < ratio.Minimum ? (width, Round(width / ratio.Minimum))
            : shape > ratio.Maximum ? (Round(height * ratio.Maximum), height)
            : (width, height);
        (w, h) = (Math.Max(w, 1), Math.Max(h, 1));
        return new PixelRectangle((width - w) / 2, (height - h) / 2, w, h);
    }

    private static double Uniform(double low, double high, ref RandomStream random) =>
        low + ((high - low) * random.NextDouble());

    // Python's round.
    private static int Round(double value) => (int)Math.Round(value, MidpointRounding.ToEven);
}
