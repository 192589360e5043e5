using Deit.Gpu;
using Deit.Model.Images;
using Deit.Train.Data.Randomness;

namespace Deit.Train.Data.Augmentation;

/// <summary>
/// torchvision's ColorJitter as timm sets it up: brightness, contrast and saturation in random order, each by a factor
/// of its own.
/// </summary>
/// <param name="strength">Factors are uniform in max(0, 1 - strength) .. 1 + strength.</param>
internal sealed class ColorJitter(double strength) : IImageStep
{
    /// <summary>The step that the settings ask for; null for none. With RandAugment there is none, as in
    /// timm.</summary>
    public static IImageStep? From(TrainTransformOptions options) =>
        options.ColorJitter > 0 && string.IsNullOrEmpty(options.AutoAugment)
            ? new ColorJitter(options.ColorJitter)
            : null;

    public uint Site => RandomSite.ColorJitter;

    public string Name => "colour jitter";

    public void Apply(RgbImage image, RgbImage scratch, ref RandomStream random)
    {
        Span<RandAugmentOperation> order =
        [
            RandAugmentOperation.Brightness,
            RandAugmentOperation.Contrast,
            RandAugmentOperation.Color,
        ];
        random.Shuffle(order);
        foreach (RandAugmentOperation operation in order)
            operation.Apply(Factor(ref random), image, scratch, fill: default);
    }

    /// <summary>Draws a factor.</summary>
    public double Factor(ref RandomStream random)
    {
        double low = Math.Max(0, 1 - strength);
        return low + ((1 + strength - low) * random.NextDouble());
    }
}
