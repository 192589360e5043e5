using Deit.Train.Data.Splits;

namespace Deit.Train;

/// <summary>Labelled images in memory, in the order in which they were added. Every member may be called from any thread.
/// What is added once a training has reported progress is of the next one.</summary>
public sealed class InMemoryImageDataset : IImageDataset
{
    private readonly Lock _gate = new();
    private readonly List<(int Label, string Name, ImageContent Image)> _images = [];
    private readonly Dictionary<string, int> _labels;
    private readonly int[] _counts;

    /// <summary>Makes an empty one.</summary>
    /// <param name="classNames">The names of the classes, each once, in the order of the labels.</param>
    /// <exception cref="ArgumentException">A name is there twice.</exception>
    public InMemoryImageDataset(params IEnumerable<string> classNames)
    {
        ClassNames = new ComparedList<string>(classNames);
        if (ClassNames.Distinct(StringComparer.Ordinal).Count() < ClassNames.Count)
            throw new ArgumentException(
                $"Classes were called {DatasetRules.Quote(ClassNames)}, expected each name once; rename one.",
                nameof(classNames)
            );
        _labels = DatasetRules.LabelOf(ClassNames);
        _counts = new int[ClassNames.Count];
    }

    /// <inheritdoc/>
    public int Count
    {
        get
        {
            lock (_gate)
                return _images.Count;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Adds an image.</summary>
    /// <param name="className">Its class, one of <see cref="ClassNames"/>.</param>
    /// <param name="image">The image, which is kept and not copied.</param>
    /// <param name="name">Its name; null for its class and its number in that, as <c>cat/0007</c>.</param>
    /// <exception cref="ArgumentException">There is no such class.</exception>
    public void Add(string className, ImageContent image, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(className);
        ArgumentNullException.ThrowIfNull(image);
        if (!_labels.TryGetValue(className, out int label))
            throw new ArgumentException(
                $"An image of the class '{className}' was added, expected one of {DatasetRules.Quote(ClassNames)}; "
                    + "name one of these.",
                nameof(className)
            );
        lock (_gate)
        {
            int number = _counts[label]++;
            _images.Add((label, name ?? FormattableString.Invariant($"{className}/{number:0000}"), image));
        }
    }

    /// <inheritdoc/>
    public int GetLabel(int index) => At(index).Label;

    /// <inheritdoc/>
    public ImageContent GetImage(int index) => At(index).Image;

    /// <inheritdoc/>
    public string GetName(int index) => At(index).Name;

    private (int Label, string Name, ImageContent Image) At(int index)
    {
        lock (_gate)
            return _images[index];
    }
}
