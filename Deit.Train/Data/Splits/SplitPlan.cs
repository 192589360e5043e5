using Deit.Model;

namespace Deit.Train.Data.Splits;

/// <summary>Which stored pictures a split consists of, for the formats that store splits in files of their own.</summary>
/// <param name="Source">The stored split.</param>
/// <param name="Validation">Null: all of it. Otherwise a share of it is held out: true is that share, false what remains.</param>
internal readonly record struct SplitPlan(string Source, bool? Validation)
{
    /// <summary>
    /// A stored split is itself. Without a stored "val" and with a share to hold out, "val" is that share of "train", and "train" the rest,
    /// whether or not there is a "test": what a run chooses its best model by is then not what it is judged by.
    /// </summary>
    /// <param name="folder">What errors call the data.</param>
    /// <param name="stored">The splits there are.</param>
    /// <param name="split">The one asked for.</param>
    /// <param name="options">The share.</param>
    /// <param name="files">How the files of a split are called, for the remedy.</param>
    /// <exception cref="DeitException">There is no such split, or the share is none.</exception>
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
