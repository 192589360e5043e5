using Deit.Model.Images;
using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>All splits of data one after another: every picture there is, whichever split it lies in.</summary>
internal sealed class JoinedDataset : IImageSplit
{
    private readonly IImageSplit[] _splits;

    private JoinedDataset(IImageSplit[] splits) => _splits = splits;

    /// <inheritdoc/>
    public int Count => _splits.Sum(split => split.Count);

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => _splits[0].ClassNames;

    /// <inheritdoc/>
    public IReadOnlyList<string> Notices => [.. _splits.SelectMany(split => split.Notices).Distinct()];

    /// <summary>Opens every split that is stored. Nothing is held out.</summary>
    /// <param name="folder">The data.</param>
    /// <param name="options">How to read it.</param>
    /// <param name="open">Opens a split.</param>
    /// <exception cref="DeitException">A split cannot be opened, or there is none.</exception>
    public static JoinedDataset Open(string folder, DatasetOptions options, OpenDataset open)
    {
        DatasetRules.RequireShare(folder, options);
        options = options with { ValFraction = 0, StoredSplits = true };
        List<IImageSplit> splits = [];
        NoSuchSplitException? missing = null;
        foreach (string split in SplitNames.Stored)
            try
            {
                splits.Add(open(folder, split, options));
            }
            catch (NoSuchSplitException error)
            {
                missing ??= error;
            }
        return splits.Count > 0 ? new JoinedDataset([.. splits]) : throw missing!;
    }

    /// <inheritdoc/>
    public int Label(int index)
    {
        (IImageSplit split, int at) = Place(index);
        return split.Label(at);
    }

    /// <inheritdoc/>
    public string Name(int index)
    {
        (IImageSplit split, int at) = Place(index);
        return split.Name(at);
    }

    /// <inheritdoc/>
    public RgbImage Load(int index, ImagePart? part = null)
    {
        (IImageSplit split, int at) = Place(index);
        return split.Load(at, part);
    }

    private (IImageSplit Split, int Index) Place(int index)
    {
        int split = 0;
        while (index >= _splits[split].Count)
            index -= _splits[split++].Count;
        return (_splits[split], index);
    }
}
