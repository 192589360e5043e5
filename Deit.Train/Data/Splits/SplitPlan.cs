namespace Deit.Train.Data.Splits;

/// <summary>Which stored pictures a split consists of, for the formats that store splits in files of their own.</summary>
/// <param name="Source">The stored split.</param>
/// <param name="Validation">Null for the whole stored split. Where a share of it is held out, true is that share and
/// false the rest.</param>
internal readonly record struct SplitPlan(string Source, bool? Validation)
{
    /// <summary>
    /// Chooses the stored pictures of a split. A stored split is itself. Without a stored "val" and with a share to
    /// hold out, "val" is that share of "train", and "train" is the rest, even where there is a "test". A run then does
    /// not choose its best model by the pictures that it is judged by.
    /// </summary>
    /// <param name="folder">The name of the data in errors.</param>
    /// <param name="stored">The splits there are.</param>
    /// <param name="split">The one asked for.</param>
    /// <param name="options">The share.</param>
    /// <param name="files">The name of a split's files, for the remedy.</param>
    /// <exception cref="DeitException">There is no such split, or the share is not one from 0 to below 1.</exception>
    public static SplitPlan Choose(
        string folder,
        IReadOnlyCollection<string> stored,
        string split,
        DatasetOptions options,
        Func<string, string> files
    )
    {
        DatasetRules.RequireShare(folder, options);
        bool divided =
            options.ValFraction > 0 && stored.Contains(DatasetRules.Train) && !stored.Contains(DatasetRules.Val);
        if (divided && split is (DatasetRules.Train or DatasetRules.Val))
            return new SplitPlan(DatasetRules.Train, split == DatasetRules.Val);
        if (stored.Contains(split))
            return new SplitPlan(split, null);
        bool share = split == DatasetRules.Val && options.ValFraction == 0 && stored.Contains(DatasetRules.Train);
        string remedy = share
            ? $"hold out a share of the pictures with --val-fraction, for example 0.1, or add {files(split)}"
            : $"name one of these or add {files(split)}";
        throw DatasetRules.NoSuchSplit(folder, split, divided ? [.. stored, DatasetRules.Val] : stored, remedy);
    }
}
