using Deit.Gpu;

namespace Deit.Train.Data.Randomness;

/// <summary>
/// The uses of random numbers on the host: the site of a <see cref="RandomStream"/>. Each has its own, so a new step of the augmentation
/// leaves the draws of the others as they are. The top bit keeps them apart from the device's sites.
/// </summary>
internal static class RandomSite
{
    public const uint ValidationSplit = 0x8000_0000;
    public const uint EpochOrder = 0x8000_0001;
    public const uint RandomCrop = 0x8000_0002;
    public const uint HorizontalFlip = 0x8000_0003;
    public const uint RandAugment = 0x8000_0004;
    public const uint ColorJitter = 0x8000_0005;
    public const uint RandomErasing = 0x8000_0006;
    public const uint Mixup = 0x8000_0007;
}
