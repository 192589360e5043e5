using Deit.Model.Images;

namespace Deit.Train.Options;

/// <summary>The changes to training pictures and labels, and the order of the pictures.</summary>
internal sealed record AugmentationOptions
{
    [Flag("mixup's alpha; 0 for none")]
    public double Mixup { get; init; } = 0.8;

    [Flag("cutmix's alpha; 0 for none")]
    public double Cutmix { get; init; } = 1;

    [Flag("chance that a batch is mixed", Name = "mixup-prob")]
    public double MixupProbability { get; init; } = 1;

    [Flag("chance of cutmix where mixup is on too", Name = "mixup-switch-prob")]
    public double CutmixProbability { get; init; } = 0.5;

    [Flag("label smoothing")]
    public double Smoothing { get; init; } = 0.1;

    [Flag("no augmentation: training images are prepared as for evaluation and not mixed")]
    public bool NoAug { get; init; }

    [Flag("smallest area of the random resized crop", Name = "scale-min")]
    public double SmallestCrop { get; init; } = 0.08;

    [Flag(
        "how the crop is resized; rotations and shears of --aa stay bicubic",
        Name = "train-interpolation",
        Choices = ["bicubic", "bilinear"]
    )]
    public ResampleFilter Interpolation { get; init; } = ResampleFilter.Bicubic;

    [Flag("chance of a horizontal flip", Name = "hflip")]
    public double HorizontalFlip { get; init; } = 0.5;

    [Flag("RandAugment in timm's grammar; none for no such augmentation", Name = "aa", Value = "TEXT")]
    public string AutoAugment { get; init; } = "rand-m9-mstd0.5-inc1";

    [Flag(
        "how far brightness, contrast and saturation may move from 1; without effect beside --aa, as in the reference"
    )]
    public double ColorJitter { get; init; } = 0.3;

    [Flag("chance of an image to be erased in part", Name = "reprob")]
    public double ErasingProbability { get; init; } = 0.25;

    [Flag("what takes the place of what is erased: zeros, a colour, or noise", Name = "remode")]
    public ErasingMode ErasingMode { get; init; } = ErasingMode.Pixel;

    [Flag("most parts of an image to erase", Name = "recount")]
    public int ErasingCount { get; init; } = 1;

    [Flag("see a third of the images an epoch, each three times (the reference code only where it runs distributed)")]
    public bool RepeatedAug { get; init; } = true;

    /// <exception cref="DeitException">A value makes no sense.</exception>
    public void Validate()
    {
        OptionCheck.Require(Smoothing is >= 0 and < 1, "--smoothing", Smoothing, "from 0 to below 1");
        OptionCheck.Require(Mixup is >= 0 and <= 1000, "--mixup", Mixup, "from 0 to 1000");
        OptionCheck.Require(Cutmix is >= 0 and <= 1000, "--cutmix", Cutmix, "from 0 to 1000");
        OptionCheck.Require(MixupProbability is >= 0 and <= 1, "--mixup-prob", MixupProbability, "from 0 to 1");
        OptionCheck.Require(
            CutmixProbability is >= 0 and <= 1,
            "--mixup-switch-prob",
            CutmixProbability,
            "from 0 to 1"
        );
        OptionCheck.Require(SmallestCrop is > 0 and <= 1, "--scale-min", SmallestCrop, "above 0, at most 1");
        OptionCheck.Require(HorizontalFlip is >= 0 and <= 1, "--hflip", HorizontalFlip, "from 0 to 1");
        OptionCheck.Require(
            ColorJitter is >= 0 and < double.PositiveInfinity,
            "--color-jitter",
            ColorJitter,
            "at least 0"
        );
        OptionCheck.Require(ErasingProbability is >= 0 and <= 1, "--reprob", ErasingProbability, "from 0 to 1");
        OptionCheck.Require(ErasingCount >= 1, "--recount", ErasingCount, "at least 1");
    }
}

/// <summary>The values that random erasing leaves behind.</summary>
internal enum ErasingMode
{
    /// <summary>Zeros, which is the mean of the normalised data.</summary>
    Const,

    /// <summary>A normal number for each channel.</summary>
    Rand,

    /// <summary>A normal number for each value.</summary>
    Pixel,
}
