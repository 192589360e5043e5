using Deit.Model.Images;

namespace Deit.Train.Data.Augmentation;

/// <summary>From a decoded picture to a model's input. Called from many threads at once.</summary>
internal interface IImageTransform
{
    /// <summary>H and W, the size of the input in pixels.</summary>
    ImageSize InputSize { get; }

    /// <summary>The part of a picture that <see cref="Apply"/> reads; all of it unless a transform says otherwise.</summary>
    /// <param name="width">Columns of the picture.</param>
    /// <param name="height">Rows of the picture.</param>
    /// <param name="epoch">The epoch.</param>
    /// <param name="position">Where in the epoch's order the picture stands.</param>
    PixelRectangle Part(int width, int height, int epoch, int position) => new(0, 0, width, height);

    /// <summary>Transforms a picture; equal arguments give equal bits.</summary>
    /// <param name="image">The picture; is not changed.</param>
    /// <param name="epoch">The epoch.</param>
    /// <param name="position">The picture's place in the epoch's order: one that comes twice in an epoch is augmented
    /// twice.</param>
    /// <param name="chw">[3, H, W], every value is written.</param>
    void Apply(RgbImage image, int epoch, int position, Span<float> chw);
}

/// <summary>The evaluation transform: no randomness.</summary>
/// <param name="preprocess">Its settings.</param>
internal sealed class EvaluationTransform(Preprocess preprocess) : IImageTransform
{
    /// <inheritdoc/>
    public ImageSize InputSize => preprocess.InputSize;

    /// <inheritdoc/>
    public void Apply(RgbImage image, int epoch, int position, Span<float> chw) => preprocess.Apply(image, chw);
}
