using Deit.Model.Images;
using Deit.Train.Options;

namespace Deit.Train.Data.Augmentation;

/// <summary>
/// Settings of a <see cref="TrainTransform"/>, named as in the reference; the defaults are its crop and flip, and nothing more.
/// </summary>
internal sealed record TrainTransformOptions
{
    /// <summary>Size of the input, in pixels.</summary>
    public ImageSize InputSize { get; init; } = 224;

    /// <summary>The crop's area over the picture's, uniform between these.</summary>
    public (double Minimum, double Maximum) Scale { get; init; } = (0.08, 1);

    /// <summary>The crop's width over its height, log-uniform between these.</summary>
    public (double Minimum, double Maximum) Ratio { get; init; } = (3.0 / 4, 4.0 / 3);

    /// <summary>The kernel of the resize.</summary>
    public ResampleFilter Interpolation { get; init; } = ResampleFilter.Bicubic;

    /// <summary>The chance of a mirrored picture.</summary>
    public double HorizontalFlip { get; init; } = 0.5;

    /// <summary>RandAugment in timm's grammar, as <c>rand-m9-mstd0.5-inc1</c>, the reference's; null or empty for none.</summary>
    public string? AutoAugment { get; init; }

    /// <summary>
    /// How far brightness, contrast and saturation may move from 1. Beside <see cref="AutoAugment"/> it has no effect,
    /// as in the reference.
    /// </summary>
    public double ColorJitter { get; init; }

    /// <summary>The chance of a picture to be erased in part; the reference's is 0.25.</summary>
    public double ErasingProbability { get; init; }

    /// <summary>The values that replace the erased part.</summary>
    public ErasingMode ErasingMode { get; init; } = ErasingMode.Pixel;

    /// <summary>The most parts to erase.</summary>
    public int ErasingCount { get; init; } = 1;

    /// <summary>Subtracted from pixels of 0..1.</summary>
    public ChannelValues Mean { get; init; } = ChannelValues.ImageNetMean;

    /// <summary>Divides the pixels after <see cref="Mean"/> was subtracted.</summary>
    public ChannelValues StandardDeviation { get; init; } = ChannelValues.ImageNetStandardDeviation;
}
