using Deit.Gpu;
using Deit.Model.Images;

namespace Deit.Train.Data.Augmentation;

/// <summary>
/// torchvision's RandomCrop with a padding of 4 black pixels. The reference does this instead of resizing when the
/// input has at most 32 pixels a side, as CIFAR's. A picture that is too small even so, which the reference refuses, is
/// padded further (pad_if_needed).
/// </summary>
internal sealed class PaddedRandomCrop : IRandomCrop
{
    private const int Padding = 4;

    public PixelRectangle Part(int width, int height, RandomStream random) => new(0, 0, width, height);

    public void Apply(RgbImage source, RgbImage target, ref RandomStream random)
    {
        int top = Offset(source.Height, target.Height, ref random),
            left = Offset(source.Width, target.Width, ref random);
        Array.Clear(target.Pixels);
        int from = Math.Max(left, 0),
            to = Math.Min(left + target.Width, source.Width); // the columns of the source that lie in the target
        if (from >= to)
            return;
        for (int y = Math.Max(top, 0); y < Math.Min(top + target.Height, source.Height); y++)
            source
                .Pixels.AsSpan(((y * source.Width) + from) * 3, (to - from) * 3)
                .CopyTo(target.Pixels.AsSpan((((y - top) * target.Width) + from - left) * 3));
    }

    // Where the crop starts in the picture's own coordinates; negative inside the padding.
    private static int Offset(int length, int wanted, ref RandomStream random)
    {
        int padding = Padding;
        if (length + (2 * padding) < wanted)
            padding += wanted - length - (2 * padding);
        return random.NextInt(length + (2 * padding) - wanted + 1) - padding;
    }
}
