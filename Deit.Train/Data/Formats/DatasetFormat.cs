using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>Opens a split of a folder: "train", "val" or "test".</summary>
internal delegate IImageSplit OpenDataset(string folder, string split, DatasetOptions options);

/// <summary>A way in which labelled pictures lie in a folder.</summary>
/// <param name="Files">The name of its files in errors.</param>
/// <param name="IsIn">Whether its files lie in a folder; a <see cref="DeitException"/> counts as no.</param>
/// <param name="Open">Opens a split.</param>
internal sealed record DatasetFormat(string Files, Func<string, bool> IsIn, OpenDataset Open)
{
    /// <summary>
    /// True of a format whose files have names that nothing else has: it is taken even where folders of pictures lie
    /// beside them.
    /// </summary>
    public bool Unmistakable { get; init; }
}
