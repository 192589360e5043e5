namespace Deit.Train;

/// <summary>
/// Images of a program, whose number, labels and names are those of one moment. The images themselves are asked for as before.
/// </summary>
internal sealed class ImagesAtStart : IImageDataset
{
    private readonly IImageDataset _images;
    private readonly int[] _labels;
    private readonly string[] _names;

    /// <summary>Reads number, labels and names.</summary>
    /// <param name="images">The images.</param>
    public ImagesAtStart(IImageDataset images)
    {
        _images = images;
        ClassNames = [.. images.ClassNames];
        Count = images.Count;
        IEnumerable<int> indices = Enumerable.Range(0, Math.Max(Count, 0));
        _labels = [.. indices.Select(images.GetLabel)];
        _names = [.. indices.Select(images.GetName)];
    }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public int GetLabel(int index) => _labels[index];

    /// <inheritdoc/>
    public ImageContent GetImage(int index) => _images.GetImage(index);

    /// <inheritdoc/>
    public string GetName(int index) => _names[index];
}
