using System.Runtime.InteropServices;
using Deit.Gpu;
using Deit.Model.Images;
using Deit.Train.Data.Randomness;

namespace Deit.Train.Data.Augmentation;

/// <summary>Mirrors left and right by chance.</summary>
/// <param name="probability">The chance.</param>
internal sealed class HorizontalFlip(double probability) : IImageStep
{
    /// <summary>The step that the settings ask for.</summary>
    public static IImageStep From(TrainTransformOptions options) => new HorizontalFlip(options.HorizontalFlip);

    public uint Site => RandomSite.HorizontalFlip;

    public string Name => "flip";

    public void Apply(RgbImage image, RgbImage scratch, ref RandomStream random)
    {
        if (random.NextDouble() >= probability)
            return;
        Span<Pixel> pixels = MemoryMarshal.Cast<byte, Pixel>(image.Pixels.AsSpan());
        for (int y = 0; y < image.Height; y++)
            pixels.Slice(y * image.Width, image.Width).Reverse();
    }
}
