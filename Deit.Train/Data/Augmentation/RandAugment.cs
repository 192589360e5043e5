using Deit.Gpu;
using Deit.Model.Images;
using Deit.Train.Data.Randomness;

namespace Deit.Train.Data.Augmentation;

/// <summary>An operation of RandAugment, drawn with its argument.</summary>
/// <param name="Operation">The operation.</param>
/// <param name="Magnitude">0 to 10.</param>
/// <param name="Argument">The number that the operation takes, of <see cref="RandAugmentOperations.Argument"/>.</param>
internal readonly record struct RandAugmentDraw(RandAugmentOperation Operation, double Magnitude, double Argument);

/// <summary>
/// RandAugment (Cubuk et al., arXiv 1909.13719) as timm 0.3.2 does it, which is not quite the paper. Some operations
/// are drawn for each picture. Each is applied with a chance of one half, at a magnitude drawn round the given one.
/// </summary>
/// <param name="settings">The number of operations and their magnitude.</param>
/// <param name="fill">The colour outside the picture; the reference takes the data's mean.</param>
internal sealed class RandAugment(RandAugmentSettings settings, Pixel fill) : IImageStep
{
    private const double Probability = 0.5;

    // timm's "w0", in the order of the operations; Invert and Posterize have none.
    private static readonly double[] Weights =
    [
        0.025,
        0.005,
        0,
        0.3,
        0,
        0.005,
        0.005,
        0.025,
        0.005,
        0.005,
        0.025,
        0.2,
        0.2,
        0.1,
        0.1,
    ];

    /// <summary>The step that the settings ask for; null for none. The colour outside the picture is the data's
    /// mean.</summary>
    /// <exception cref="DeitException">The string of RandAugment cannot be read.</exception>
    public static IImageStep? From(TrainTransformOptions options) =>
        options.AutoAugment is { Length: > 0 } text
            ? new RandAugment(
                RandAugmentSettings.Parse(text),
                new Pixel(Level(options.Mean.Red), Level(options.Mean.Green), Level(options.Mean.Blue))
            )
            : null;

    public uint Site => RandomSite.RandAugment;

    public string Name => "RandAugment";

    public void Apply(RgbImage image, RgbImage scratch, ref RandomStream random)
    {
        uint drawn = 0;
        for (int i = 0; i < settings.Layers; i++)
            if (Next(ref drawn, ref random) is { } draw)
                draw.Operation.Apply(draw.Argument, image, scratch, fill);
    }

    /// <summary>Draws an operation of a picture.</summary>
    /// <param name="drawn">A bit for each operation that the picture has had; 0 at first.</param>
    /// <param name="random">The draws.</param>
    /// <returns>Null where it is not to be applied.</returns>
    public RandAugmentDraw? Next(ref uint drawn, ref RandomStream random)
    {
        RandAugmentOperation operation = settings.Weighted
            ? NextWeighted(drawn, ref random)
            : (RandAugmentOperation)random.NextInt(RandAugmentOperations.Count);
        drawn |= 1u << (int)operation;
        if (random.NextDouble() >= Probability)
            return null;
        double magnitude = settings.Magnitude;
        if (settings.MagnitudeDeviation > 0)
            magnitude += settings.MagnitudeDeviation * random.NextNormal();
        magnitude = Math.Clamp(magnitude, 0, RandAugmentOperations.LargestMagnitude);
        bool negate = random.NextDouble() >= 0.5;
        return new RandAugmentDraw(operation, magnitude, operation.Argument(magnitude, settings.Increasing, negate));
    }

    private static RandAugmentOperation NextWeighted(uint drawn, ref RandomStream random)
    {
        double total = 0;
        for (int i = 0; i < Weights.Length; i++)
            total += Weight(i, drawn);
        double left = random.NextDouble() * total;
        int chosen = -1;
        for (int i = 0; i < Weights.Length && left >= 0; i++)
            if (Weight(i, drawn) is > 0 and double weight)
                (chosen, left) = (i, left - weight);
        return (RandAugmentOperation)chosen;
    }

    private static double Weight(int operation, uint drawn) => (drawn >> operation & 1) == 0 ? Weights[operation] : 0;

    private static byte Level(float mean) => (byte)Math.Clamp(Math.Round(255.0 * mean), 0, 255);
}
