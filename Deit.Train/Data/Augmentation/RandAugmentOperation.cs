using Deit.Model.Images;

namespace Deit.Train.Data.Augmentation;

/// <summary>The operations RandAugment chooses from, in timm's order.</summary>
internal enum RandAugmentOperation
{
    AutoContrast,
    Equalize,
    Invert,
    Rotate,
    Posterize,
    Solarize,
    SolarizeAdd,
    Color,
    Contrast,
    Brightness,
    Sharpness,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
}

/// <summary>The effect of an operation at a magnitude: timm's level functions.</summary>
internal static class RandAugmentOperations
{
    /// <summary>How many operations there are.</summary>
    public const int Count = (int)RandAugmentOperation.TranslateY + 1;

    /// <summary>The largest magnitude.</summary>
    public const double LargestMagnitude = 10;

    /// <summary>The number that the operation takes: degrees, bits, a threshold, a factor or a share; 0 where it takes
    /// none.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="magnitude">0 to 10.</param>
    /// <param name="increasing">
    /// Whether every operation grows stronger with the magnitude. Otherwise Posterize, Solarize and the enhancements
    /// run through their ranges.
    /// </param>
    /// <param name="negate">Reverses the direction of an operation that has two.</param>
    public static double Argument(this RandAugmentOperation operation, double magnitude, bool increasing, bool negate)
    {
        double level = magnitude / LargestMagnitude,
            sign = negate ? -1 : 1;
        return operation switch
        {
            RandAugmentOperation.AutoContrast or RandAugmentOperation.Equalize or RandAugmentOperation.Invert => 0,
            RandAugmentOperation.Rotate => sign * (level * 30),
            RandAugmentOperation.Posterize => increasing ? 4 - (int)(level * 4) : (int)(level * 4),
            RandAugmentOperation.Solarize => increasing ? 256 - (int)(level * 256) : (int)(level * 256),
            RandAugmentOperation.SolarizeAdd => (int)(level * 110),
            RandAugmentOperation.Color
            or RandAugmentOperation.Contrast
            or RandAugmentOperation.Brightness
            or RandAugmentOperation.Sharpness => increasing ? 1 + (sign * (level * 0.9)) : (level * 1.8) + 0.1,
            RandAugmentOperation.ShearX or RandAugmentOperation.ShearY => sign * (level * 0.3),
            RandAugmentOperation.TranslateX or RandAugmentOperation.TranslateY => sign * (level * 0.45),
            _ => throw new ArgumentOutOfRangeException(nameof(operation)),
        };
    }

    /// <summary>Applies the operation.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="argument">Of <see cref="Argument"/>.</param>
    /// <param name="image">The picture, changed in place.</param>
    /// <param name="scratch">Another of its size.</param>
    /// <param name="fill">The colour outside the picture.</param>
    public static void Apply(
        this RandAugmentOperation operation,
        double argument,
        RgbImage image,
        RgbImage scratch,
        Pixel fill
    )
    {
        switch (operation)
        {
            case RandAugmentOperation.AutoContrast:
                PillowOps.AutoContrast(image);
                break;
            case RandAugmentOperation.Equalize:
                PillowOps.Equalize(image);
                break;
            case RandAugmentOperation.Invert:
                PillowOps.Invert(image);
                break;
            case RandAugmentOperation.Rotate:
                PillowOps.Rotate(image, scratch, argument, fill);
                break;
            case RandAugmentOperation.Posterize:
                PillowOps.Posterize(image, (int)argument);
                break;
            case RandAugmentOperation.Solarize:
                PillowOps.Solarize(image, (int)argument);
                break;
            case RandAugmentOperation.SolarizeAdd:
                PillowOps.SolarizeAdd(image, (int)argument);
                break;
            case RandAugmentOperation.Color:
                PillowOps.Color(image, scratch, argument);
                break;
            case RandAugmentOperation.Contrast:
                PillowOps.Contrast(image, argument);
                break;
            case RandAugmentOperation.Brightness:
                PillowOps.Brightness(image, argument);
                break;
            case RandAugmentOperation.Sharpness:
                PillowOps.Sharpness(image, scratch, argument);
                break;
            case RandAugmentOperation.ShearX:
                PillowOps.ShearX(image, scratch, argument, fill);
                break;
            case RandAugmentOperation.ShearY:
                PillowOps.ShearY(image, scratch, argument, fill);
                break;
            case RandAugmentOperation.TranslateX:
                PillowOps.TranslateX(image, scratch, argument, fill);
                break;
            case RandAugmentOperation.TranslateY:
                PillowOps.TranslateY(image, scratch, argument, fill);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(operation));
        }
    }
}
