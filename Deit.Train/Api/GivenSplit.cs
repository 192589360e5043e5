using Deit.Model.Images;
using Deit.Train.Data.Formats;

namespace Deit.Train;

/// <summary>A part of the images of a program. Labels and names are those of the moment at which it was opened.</summary>
/// <param name="images">All images.</param>
/// <param name="classNames">The classes that labels count.</param>
/// <param name="indices">The numbers of this part's images among all.</param>
/// <param name="labels">The label of each of all images, among the classes of the program.</param>
/// <param name="names">The name of each of all images.</param>
internal sealed class GivenSplit(
    IImageDataset images,
    IReadOnlyList<string> classNames,
    int[] indices,
    int[] labels,
    string[] names
) : IImageSplit
{
    /// <summary>The label of each class of the program.</summary>
    public required int[] LabelOf { get; init; }

    /// <inheritdoc/>
    public int Count => indices.Length;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => classNames;

    /// <inheritdoc/>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <inheritdoc/>
    public int? SharedOf { get; init; }

    /// <inheritdoc/>
    public int Label(int index) => LabelOf[labels[indices[index]]];

    /// <inheritdoc/>
    public string Name(int index) => names[indices[index]];

    /// <inheritdoc/>
    public RgbImage Load(int index, ImagePart? part = null)
    {
        ImageContent image = Content(index);
        // A transform may work in the pixels that it is given, and the program keeps these.
        return image.Pixels is { } pixels
            ? new RgbImage(pixels.Width, pixels.Height, [.. pixels.Pixels])
            : ImageDecoder.Decode(image.Encoded.Span, Name(index), part: part);
    }

    /// <inheritdoc/>
    public byte[]? Encoded(int index)
    {
        ImageContent image = Content(index);
        return image.Pixels is null ? image.Encoded.ToArray() : null;
    }

    /// <summary>The length in memory; null of images that another program has to fetch or to make.</summary>
    public long? EncodedLength(int index) =>
        images is InMemoryImageDataset && Content(index) is { Pixels: null } image ? image.Encoded.Length : null;

    private ImageContent Content(int index)
    {
        try
        {
            return images.GetImage(indices[index])
                ?? throw new ImageException(
                    $"Reading the image '{Name(index)}' failed: GetImage returned null; return its bytes or its pixels."
                );
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(
                $"Reading the image '{Name(index)}' failed: {error.Message.ReplaceLineEndings(" ").TrimEnd('.')}; "
                    + "check that it is there and can be read.",
                error
            );
        }
    }
}
