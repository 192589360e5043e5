using System.Collections.Concurrent;
using Deit.Model.Images;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Formats;

namespace Deit.Train.Data.Loading;

/// <summary>Decodes and transforms samples, and remembers those that cannot be read. Every member may be called from any thread.</summary>
/// <param name="dataset">The pictures.</param>
/// <param name="transform">The transform of each picture.</param>
internal sealed class SampleReader(IImageSplit dataset, IImageTransform transform)
{
    private readonly ConcurrentDictionary<int, (string Sentence, bool OfSystem)> _unreadable = [];
    private readonly ConcurrentDictionary<int, bool> _tryAgain = [];

    /// <summary>A sentence for each sample that could not be read, in the data set's order.</summary>
    public IReadOnlyList<string> Unreadable =>
        [.. _unreadable.OrderBy(pair => pair.Key).Select(pair => pair.Value.Sentence)];

    /// <summary>The numbers of those samples, in order.</summary>
    public int[] UnreadableIndices => [.. _unreadable.Keys.Order()];

    /// <summary>The sentence of one of them; null of a sample that was read.</summary>
    public string? ErrorOf(int index) => _unreadable.GetValueOrDefault(index).Sentence;

    /// <summary>Samples of the data set.</summary>
    public int Count => dataset.Count;

    /// <summary>Waits before a sample is read again whose disk or network failed for a moment.</summary>
    public Action<TimeSpan> Pause { get; init; } = Thread.Sleep;

    /// <summary>Floats of a sample: 3 H W.</summary>
    public int SampleLength => 3 * transform.InputSize.Pixels;

    /// <summary>The class of a sample.</summary>
    public uint Label(int index) => (uint)dataset.Label(index);

    /// <summary>The name of a sample in messages.</summary>
    public string Name(int index) => dataset.Name(index);

    /// <summary>Begins an epoch: each sample that the system could not read is tried once more, and damaged ones are
    /// not.</summary>
    public void BeginEpoch()
    {
        foreach ((int index, (_, bool ofSystem)) in _unreadable)
            if (ofSystem)
                _tryAgain[index] = true;
    }

    /// <summary>Decodes the part of a sample that its place in the epoch needs. A sample that cannot be read is not
    /// tried again in the epoch.</summary>
    /// <returns>Null where it cannot be read.</returns>
    public RgbImage? Load(int index, int epoch, int position)
    {
        if (_unreadable.ContainsKey(index) && !_tryAgain.TryRemove(index, out _))
            return null;
        try
        {
            RgbImage image = TransientErrors.Retry(
                () => dataset.Load(index, (width, height) => transform.Part(width, height, epoch, position)),
                Pause
            );
            _unreadable.TryRemove(index, out _);
            return image;
        }
        catch (ImageException error)
        {
            _unreadable[index] = (error.Message, TransientErrors.IsOfSystem(error));
            return null;
        }
    }

    /// <summary>Transforms a sample into [3, H, W].</summary>
    /// <exception cref="DeitException">The transform refuses the picture, which the message names.</exception>
    public void Apply(RgbImage image, int index, int epoch, int position, Span<float> chw)
    {
        try
        {
            transform.Apply(image, epoch, position, chw);
        }
        catch (DeitException error)
        {
            throw new DeitException(DeitErrorKind.Data, $"'{dataset.Name(index)}': {error.Message}", error);
        }
    }

    /// <summary>The error where no sample can be read.</summary>
    public DeitException NothingReadable() =>
        new(
            DeitErrorKind.Data,
            $"Loading images failed: none of {dataset.Count} can be read; "
                + $"the first error is: {Unreadable.FirstOrDefault("none").TrimEnd('.')}."
        );
}
