using Deit.Gpu;
using Deit.Model.Images;

namespace Deit.Train.Data.Augmentation;

/// <summary>Makes the input's pixels from a picture of any size.</summary>
internal interface IRandomCrop
{
    /// <summary>The part of a picture that <see cref="Apply"/> reads with the same draws.</summary>
    PixelRectangle Part(int width, int height, RandomStream random);

    /// <summary>Crops.</summary>
    /// <param name="source">The picture; is not changed.</param>
    /// <param name="target">Every pixel of it is written.</param>
    /// <param name="random">The draws.</param>
    void Apply(RgbImage source, RgbImage target, ref RandomStream random);
}
