using Deit.Gpu;
using Deit.Train.Data.Randomness;

namespace Deit.Train.Data.Augmentation;

/// <summary>A step of the augmentation that works on the normalised planes in place. Has no state, so that threads may share it.</summary>
internal interface IPlaneStep
{
    /// <summary>The <see cref="RandomSite"/> of its draws.</summary>
    uint Site { get; }

    /// <summary>Changes the planes.</summary>
    /// <param name="chw">[3, height, width]. Memory of a device may be slow to read, so that a step had better only
    /// write.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="random">The draws.</param>
    void Apply(Span<float> chw, int width, int height, ref RandomStream random);
}
