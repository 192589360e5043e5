using System.Collections.Concurrent;
using Deit.Gpu;
using Deit.Model.Images;
using Deit.Train.Data.Randomness;

namespace Deit.Train.Data.Augmentation;

/// <summary>
/// The reference's training transform: a random crop resized to the input, steps on its pixels, then normalised planes.
/// Each step draws from a stream of its own, so that a further step leaves the others' draws alone. Allocates nothing
/// once every thread has its buffers.
/// </summary>
internal sealed class TrainTransform : IImageTransform
{
    // Up to this input size the reference crops the padded picture and never resizes.
    internal const int LargestUnresized = 32;

    // The steps in their order; each is made from its settings, or left out.
    private static readonly Func<TrainTransformOptions, IImageStep?>[] Steps =
    [
        HorizontalFlip.From,
        RandAugment.From,
        ColorJitter.From,
    ];

    // The steps after the normalisation, in their order.
    private static readonly Func<TrainTransformOptions, IPlaneStep?>[] PlaneSteps = [RandomErasing.From];

    private readonly TrainTransformOptions _options;
    private readonly ulong _seed;
    private readonly IRandomCrop _crop;
    private readonly IImageStep[] _steps;
    private readonly IPlaneStep[] _planeSteps;
    private readonly ConcurrentBag<(RgbImage Image, RgbImage Scratch)> _buffers = [];

    /// <summary>Makes a transform.</summary>
    /// <param name="options">Its settings.</param>
    /// <param name="seed">The seed of the run.</param>
    /// <exception cref="DeitException">The string of RandAugment cannot be read.</exception>
    public TrainTransform(TrainTransformOptions options, ulong seed)
    {
        (_options, _seed) = (options, seed);
        _crop =
            options.InputSize.Longer <= LargestUnresized
                ? new PaddedRandomCrop()
                : new RandomResizedCrop(options.Scale, options.Ratio, options.Interpolation);
        _steps = [.. Steps.Select(make => make(options)).OfType<IImageStep>()];
        _planeSteps = [.. PlaneSteps.Select(make => make(options)).OfType<IPlaneStep>()];
    }

    /// <inheritdoc/>
    public ImageSize InputSize => _options.InputSize;

    /// <summary>Called with the name of each step once it is done, on the thread that did it: for taking times.</summary>
    internal Action<string>? StepDone { get; init; }

    /// <inheritdoc/>
    public PixelRectangle Part(int width, int height, int epoch, int position) =>
        _crop.Part(width, height, CropDraws(epoch, position));

    /// <inheritdoc/>
    public void Apply(RgbImage image, int epoch, int position, Span<float> chw)
    {
        if (!_buffers.TryTake(out (RgbImage Image, RgbImage Scratch) buffers))
            buffers = (NewBuffer(), NewBuffer());
        RandomStream crop = CropDraws(epoch, position);
        _crop.Apply(image, buffers.Image, ref crop);
        StepDone?.Invoke("crop and resize");
        foreach (IImageStep step in _steps)
        {
            RandomStream random = new(_seed, (uint)epoch, step.Site, (uint)position);
            step.Apply(buffers.Image, buffers.Scratch, ref random);
            StepDone?.Invoke(step.Name);
        }
        Normalization.Apply(buffers.Image.Pixels, _options.Mean, _options.StandardDeviation, chw, InputSize.Pixels);
        _buffers.Add(buffers);
        foreach (IPlaneStep step in _planeSteps)
        {
            RandomStream random = new(_seed, (uint)epoch, step.Site, (uint)position);
            step.Apply(chw, InputSize.Width, InputSize.Height, ref random);
        }
        StepDone?.Invoke("normalise and erase");
    }

    private RandomStream CropDraws(int epoch, int position) =>
        new(_seed, (uint)epoch, RandomSite.RandomCrop, (uint)position);

    private RgbImage NewBuffer() => new(InputSize.Width, InputSize.Height, new byte[InputSize.Pixels * 3]);
}
