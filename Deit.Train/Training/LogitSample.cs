using System.Runtime.InteropServices;

namespace Deit.Train.Training;

/// <summary>
/// The logits of pictures that were evaluated. A temperature is fitted to them. A large validation set of many classes
/// would take hundreds of megabytes, so that a share of its pictures stands for all.
/// </summary>
/// <param name="classes">Number of classes.</param>
internal sealed class LogitSample(int classes)
{
    /// <summary>The most logits that a report keeps: 64 MiB. Of ImageNet's 50,000 pictures that is every third.</summary>
    public const long MostLogits = 1 << 24;

    private readonly List<float> _logits = [];
    private readonly List<int> _labels = [];

    /// <summary>Number of pictures.</summary>
    public int Count => _labels.Count;

    /// <summary>The logits of a picture.</summary>
    /// <param name="index">0 to below <see cref="Count"/>.</param>
    public ReadOnlySpan<float> this[int index] => CollectionsMarshal.AsSpan(_logits).Slice(index * classes, classes);

    /// <summary>The logits of all pictures, one after another.</summary>
    public ReadOnlySpan<float> All => CollectionsMarshal.AsSpan(_logits);

    /// <summary>The class of a picture.</summary>
    /// <param name="index">0 to below <see cref="Count"/>.</param>
    public int Label(int index) => _labels[index];

    /// <summary>Of how many pictures one is kept, so that the logits are not too many.</summary>
    /// <param name="pictures">Pictures of the evaluation.</param>
    /// <param name="classes">Number of classes.</param>
    public static int Every(int pictures, int classes) =>
        (int)Math.Max(1, (((long)pictures * classes) + MostLogits - 1) / MostLogits);

    /// <summary>Adds a picture.</summary>
    public void Add(ReadOnlySpan<float> logits, int label)
    {
        CollectionsMarshal.SetCount(_logits, _logits.Count + classes);
        logits.CopyTo(CollectionsMarshal.AsSpan(_logits)[^classes..]);
        _labels.Add(label);
    }
}
