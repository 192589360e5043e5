using Deit.Train.Data.Formats;

namespace Deit.Train;

/// <summary>The pictures of a training or of an evaluation. A path stands for <see cref="FromFolder"/>.</summary>
public sealed class TrainingData
{
    private TrainingData(IImageSource source) => Source = source;

    /// <summary>Opens the splits.</summary>
    internal IImageSource Source { get; }

    /// <summary>The splits as they are now: the number of a program's images, their labels and names are read here and not again.</summary>
    /// <exception cref="DeitException">A dataset has no such images.</exception>
    internal IImageSource Read() => Source is GivenImages given ? given.Read() : Source;

    /// <summary>Whether it is the same folder, or the same datasets.</summary>
    public override bool Equals(object? obj) =>
        obj is TrainingData other
        && (Source is GivenImages given ? given.IsOf(other.Source) : Source.Folder == other.Source.Folder);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        Source.Folder?.GetHashCode(StringComparison.Ordinal) ?? ((GivenImages)Source).Training.GetHashCode();

    /// <summary>The data of a folder: <c>DIR/{train,val}/CLASS/*</c>, <c>DIR/CLASS/*</c>, CIFAR, WebDataset shards or
    /// Parquet. It is opened when a training begins.</summary>
    /// <param name="path">The folder.</param>
    public static TrainingData FromFolder(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new TrainingData(new FolderSource(path));
    }

    /// <summary>Images of a program, of which a share of each class is held out for validation.</summary>
    /// <param name="images">The images. Their names decide which are held out.</param>
    public static TrainingData FromImages(IImageDataset images)
    {
        ArgumentNullException.ThrowIfNull(images);
        return new TrainingData(new GivenImages(images, validation: null));
    }

    /// <summary>Images of a program, those for validation apart.</summary>
    /// <param name="training">The images to learn from.</param>
    /// <param name="validation">The images to evaluate with after each epoch. Their classes are found among those of
    /// <paramref name="training"/> by name.</param>
    public static TrainingData FromImages(IImageDataset training, IImageDataset validation)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(validation);
        return new TrainingData(new GivenImages(training, validation));
    }

    /// <summary>The data of a folder.</summary>
    /// <param name="path">The folder.</param>
    public static implicit operator TrainingData(string path) => FromFolder(path);
}
