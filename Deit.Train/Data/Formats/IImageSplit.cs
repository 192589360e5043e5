using Deit.Model.Images;

namespace Deit.Train.Data.Formats;

/// <summary>Labelled pictures by number. Every member may be called from any thread.</summary>
internal interface IImageSplit
{
    /// <summary>How many pictures there are.</summary>
    int Count { get; }

    /// <summary>The classes' names; a label is an index into them.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>A sentence, without a point at its end, for each thing that the user should know: what was passed over,
    /// and how classes were matched.</summary>
    IReadOnlyList<string> Notices => [];

    /// <summary>How many pictures there are together with those of the other side, where a share of each class is held
    /// out; null of a split that is stored as such.</summary>
    int? SharedOf => null;

    /// <summary>The class of a picture.</summary>
    /// <param name="index">0 to below <see cref="Count"/>.</param>
    int Label(int index);

    /// <summary>The name of a picture in messages.</summary>
    /// <param name="index">0 to below <see cref="Count"/>.</param>
    string Name(int index);

    /// <summary>Decodes a picture.</summary>
    /// <param name="index">0 to below <see cref="Count"/>.</param>
    /// <param name="part">Chooses the part that is needed: pixels outside it may be anything. Null for all of it.</param>
    /// <exception cref="ImageException">It cannot be read. The part does not decide that.</exception>
    RgbImage Load(int index, ImagePart? part = null);

    /// <summary>The bytes of an encoded picture; null of a format that stores pixels.</summary>
    /// <param name="index">0 to below <see cref="Count"/>.</param>
    /// <exception cref="ImageException">They cannot be read.</exception>
    byte[]? Encoded(int index) => null;

    /// <summary>How many bytes those are, where that is known without reading them; else null.</summary>
    /// <param name="index">0 to below <see cref="Count"/>.</param>
    long? EncodedLength(int index) => null;
}
