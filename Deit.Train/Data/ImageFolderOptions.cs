namespace Deit.Train.Data;

/// <summary>How an <see cref="ImageFolderDataset"/> reads a folder.</summary>
public sealed record ImageFolderOptions
{
    /// <summary>Of a folder without train and val folders: the share of each class's pictures that is the split "val", 0 to below 1.</summary>
    public double ValFraction { get; init; }

    /// <summary>Decides which pictures those are.</summary>
    public ulong Seed { get; init; }

    /// <summary>The classes of a trained model, whose order the labels then follow; null takes the training split's.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }
}
