using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>Where the splits of a training come from: a folder in any format, or a program.</summary>
internal interface IImageSource
{
    /// <summary>The name of the data in sentences.</summary>
    string Name { get; }

    /// <summary>The folder of the data; null where a program holds it.</summary>
    string? Folder { get; }

    /// <summary>Whether the pictures lie together, and a share of them is held out for validation.</summary>
    bool IsUndivided { get; }

    /// <summary>Opens a split.</summary>
    /// <param name="split">As of <see cref="ImageDatasets.Open"/>.</param>
    /// <param name="options">How to read it.</param>
    /// <exception cref="DeitException">The data cannot be opened, or not this split of it.</exception>
    IImageSplit Open(string split, DatasetOptions options);
}

/// <summary>Data in a folder.</summary>
/// <param name="folder">The folder.</param>
internal sealed class FolderSource(string folder) : IImageSource
{
    /// <inheritdoc/>
    public string Name => folder;

    /// <inheritdoc/>
    public string? Folder => folder;

    /// <inheritdoc/>
    public bool IsUndivided => ImageDatasets.IsUndivided(folder);

    /// <inheritdoc/>
    public IImageSplit Open(string split, DatasetOptions options) => ImageDatasets.Open(folder, split, options);
}
