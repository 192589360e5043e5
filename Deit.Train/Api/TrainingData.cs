using Deit.Train.Data.Formats;

namespace Deit.Train;

/// <summary>The pictures of a training or of an evaluation. A path stands for <see cref="FromFolder"/>.</summary>
public sealed class TrainingData
{
    private TrainingData(IImageSource source) => Source = source;

    /// <summary>Opens the splits.</summary>
    internal IImageSource Source { get; }

    /// <summary>The data of a folder: <c>DIR/{train,val}/CLASS/*</c>, <c>DIR/CLASS/*</c>, CIFAR, WebDataset shards or
    /// Parquet. It is opened when a training begins.</summary>
    /// <param name="path">The folder.</param>
    public static TrainingData FromFolder(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new TrainingData(new FolderSource(path));
    }

    /// <inheritdoc cref="FromFolder"/>
    public static implicit operator TrainingData(string path) => FromFolder(path);
}
