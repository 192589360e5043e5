using Deit.Gpu;
using Deit.Model.Images;
using Deit.Train.Data.Randomness;

namespace Deit.Train.Data.Augmentation;

/// <summary>A step of the augmentation that works on the cropped pixels in place. Has no state, so that threads may share it.</summary>
internal interface IImageStep
{
    /// <summary>The <see cref="RandomSite"/> of its draws.</summary>
    uint Site { get; }

    /// <summary>The step's name in measurements.</summary>
    string Name { get; }

    /// <summary>Changes the pixels.</summary>
    /// <param name="image">The pixels.</param>
    /// <param name="scratch">Another image of the same size, of any content before and after.</param>
    /// <param name="random">The draws.</param>
    void Apply(RgbImage image, RgbImage scratch, ref RandomStream random);
}
