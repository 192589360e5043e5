using System.Collections.Concurrent;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;
using Deit.Train.Options;

namespace Deit.Train.Data.Augmentation;

/// <summary>Settings of a <see cref="TrainTransform"/>, named as in the reference; the defaults are its crop and flip, and nothing more.</summary>
internal sealed record TrainTransformOptions
{
    /// <summary>Size of the input, in pixels.</summary>
    public ImageSize InputSize { get; init; } = 224;

    /// <summary>The crop's area over the picture's, uniform between these.</summary>
    public (double Minimum, double Maximum) Scale { get; init; } = (0.08, 1);

    /// <summary>The crop's width over its height, log-uniform between these.</summary>
    public (double Minimum, double Maximum) Ratio { get; init; } = (3.0 / 4, 4.0 / 3);

    /// <summary>The kernel of the resize.</summary>
    public ResampleFilter Interpolation { get; init; } = ResampleFilter.Bicubic;

    /// <summary>The chance of a mirrored picture.</summary>
    public double HorizontalFlip { get; init; } = 0.5;

    /// <summary>RandAugment in timm's grammar, as <c>rand-m9-mstd0.5-inc1</c>, the reference's; null or empty for none.</summary>
    public string? AutoAugment { get; init; }

    /// <summary>How far brightness, contrast and saturation may move from 1; as in the reference without effect beside <see cref="AutoAugment"/>.</summary>
    public double ColorJitter { get; init; }

    /// <summary>The chance of a picture to be erased in part; the reference's is 0.25.</summary>
    public double ErasingProbability { get; init; }

    /// <summary>What takes the place of what is erased.</summary>
    public ErasingMode ErasingMode { get; init; } = ErasingMode.Pixel;

    /// <summary>The most parts to erase.</summary>
    public int ErasingCount { get; init; } = 1;

    /// <summary>Subtracted from pixels of 0..1.</summary>
    public ChannelValues Mean { get; init; } = ChannelValues.ImageNetMean;

    /// <summary>Divides what is left.</summary>
    public ChannelValues StandardDeviation { get; init; } = ChannelValues.ImageNetStandardDeviation;
}

/// <summary>
/// The reference's training transform: a random crop resized to the input, steps on its pixels, then normalised planes. Each step draws
/// from a stream of its own, so that one more leaves the others' draws alone. Allocates nothing once every thread has its buffers.
/// </summary>
internal sealed class TrainTransform : IImageTransform
{
    // Up to this input size the reference crops the padded picture and never resizes.
    internal const int LargestUnresized = 32;

    private readonly TrainTransformOptions _options;
    private readonly ulong _seed;
    private readonly IRandomCrop _crop;
    private readonly IImageStep[] _steps;
    private readonly RandomErasing? _erasing;
    private readonly ConcurrentBag<(RgbImage Image, RgbImage Scratch)> _buffers = [];

    /// <summary>Makes a transform.</summary>
    /// <param name="options">Its settings.</param>
    /// <param name="seed">The seed of the run.</param>
    /// <exception cref="DeitException">The string of RandAugment is none.</exception>
    public TrainTransform(TrainTransformOptions options, ulong seed)
    {
        (_options, _seed) = (options, seed);
        _crop =
            options.InputSize.Longer <= LargestUnresized
                ? new PaddedRandomCrop()
                : new RandomResizedCrop(options.Scale, options.Ratio, options.Interpolation);
        _steps = [new HorizontalFlip(options.HorizontalFlip), .. ColourSteps(options)];
        _erasing =
            options.ErasingProbability > 0
                ? new RandomErasing(options.ErasingProbability, options.ErasingMode, options.ErasingCount)
                : null;
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
        if (_erasing is not null)
        {
            RandomStream erasing = new(_seed, (uint)epoch, RandomSite.RandomErasing, (uint)position);
            _erasing.Apply(chw, InputSize.Width, InputSize.Height, ref erasing);
        }
        StepDone?.Invoke("normalise and erase");
    }

    private RandomStream CropDraws(int epoch, int position) =>
        new(_seed, (uint)epoch, RandomSite.RandomCrop, (uint)position);

    // One or the other, as in timm.
    private static IEnumerable<IImageStep> ColourSteps(TrainTransformOptions options)
    {
        if (options.AutoAugment is { Length: > 0 } text)
            yield return new RandAugment(
                RandAugmentSettings.Parse(text),
                new Pixel(Level(options.Mean.Red), Level(options.Mean.Green), Level(options.Mean.Blue))
            );
        else if (options.ColorJitter > 0)
            yield return new ColorJitter(options.ColorJitter);
    }

    private static byte Level(float mean) => (byte)Math.Clamp(Math.Round(255.0 * mean), 0, 255);

    private RgbImage NewBuffer() => new(InputSize.Width, InputSize.Height, new byte[InputSize.Pixels * 3]);
}
