using Deit.Model.Images;

namespace Deit.Train;

/// <summary>
/// Labelled images that a program holds or makes, by number. Threads of the library call every member, several at a time,
/// for as long as a training lasts; the same number gives the same image each time.
/// </summary>
public interface IImageDataset
{
    /// <summary>How many images there are. It is read once, when a training or an evaluation begins, and so are the
    /// labels and the names.</summary>
    int Count { get; }

    /// <summary>The names of the classes, at least two, each once. A label is an index into them.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>The class of an image.</summary>
    /// <param name="index">0 to below <see cref="Count"/>.</param>
    int GetLabel(int index);

    /// <summary>An image, encoded or as pixels.</summary>
    /// <param name="index">0 to below <see cref="Count"/>.</param>
    /// <exception cref="ImageException">It cannot be read: it is left out, and the result says so. An
    /// <see cref="UnauthorizedAccessException"/> counts as one, and so does an <see cref="IOException"/> after four attempts.
    /// Any other exception ends the training, and comes out of its task.</exception>
    ImageContent GetImage(int index);

    /// <summary>The name of an image, in results and sentences. It also decides which images are held out for validation
    /// where a share of them is; give each image of a class a name of its own.</summary>
    /// <param name="index">0 to below <see cref="Count"/>.</param>
    string GetName(int index) => FormattableString.Invariant($"image {index}");
}
