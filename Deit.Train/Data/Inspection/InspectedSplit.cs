using Deit.Train.Data.Formats;
using Deit.Train.Data.Names;
using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Inspection;

/// <summary>A split that is looked at.</summary>
/// <param name="Name">"train", "val" or "test".</param>
/// <param name="Images">Its pictures.</param>
/// <param name="Classes">The class of each of its labels.</param>
internal sealed record InspectedSplit(string Name, IImageSplit Images, int[] Classes)
{
    /// <summary>Whether training reads it: the test split is for other commands.</summary>
    public bool IsOfTraining => IsNameOfTraining(Name);

    /// <summary>Whether training reads a split of a name.</summary>
    public static bool IsNameOfTraining(string name) => name is DatasetRules.Train or DatasetRules.Val;

    /// <summary>The class of a picture.</summary>
    public int ClassOf(int index) => Classes[Images.Label(index)];
}

/// <summary>The splits of data, opened even where training refuses them.</summary>
/// <param name="Splits">Those that can be opened.</param>
/// <param name="ClassNames">The classes of all of them; those of training come first.</param>
/// <param name="Refusals">A sentence for each reason why training would not begin.</param>
/// <param name="Unopened">A sentence for each split that cannot be opened and that training does not open.</param>
internal sealed record InspectedData(
    IReadOnlyList<InspectedSplit> Splits,
    IReadOnlyList<string> ClassNames,
    IReadOnlyList<string> Refusals,
    IReadOnlyList<string> Unopened
)
{
    /// <summary>Opens every split there is.</summary>
    /// <param name="path">The folder of the data.</param>
    /// <param name="valFraction">As for training.</param>
    /// <exception cref="DeitException">None can be opened.</exception>
    public static InspectedData Open(string path, double valFraction)
    {
        DatasetOptions options = new()
        {
            ValFraction = valFraction,
            StoredSplits = true,
            Inspecting = true,
        };
        List<InspectedSplit> splits = [];
        List<string> names = [],
            refusals = [],
            unopened = [];
        Dictionary<string, int> classOf = new(StringComparer.Ordinal);
        DeitException? first = null;
        foreach (string split in SplitNames.Stored)
            try
            {
                IImageSplit images = ImageDatasets.Open(path, split, options);
                splits.Add(new InspectedSplit(split, images, [.. images.ClassNames.Select(Class)]));
            }
            catch (NoSuchSplitException error)
            {
                first ??= error;
            }
            catch (DeitException error)
            {
                first ??= error;
                (InspectedSplit.IsNameOfTraining(split) ? refusals : unopened).Add(error.Message.TrimEnd('.'));
            }
        if (splits.Count == 0)
            throw first!;
        refusals.AddRange(Refused(path, valFraction, splits, names.Count));
        return new InspectedData(splits, names, [.. refusals.Distinct()], [.. unopened.Except(refusals)]);

        int Class(string name)
        {
            string form = CanonicalForm.Of(name);
            if (!classOf.TryGetValue(form, out int number))
            {
                classOf.Add(form, number = names.Count);
                names.Add(name);
            }
            return number;
        }
    }

    // Opening large data twice takes long: it is done where something was seen that training may refuse.
    private static List<string> Refused(string path, double valFraction, List<InspectedSplit> splits, int classes)
    {
        bool whole =
            classes > 1
            && splits.Exists(split => split.Name == DatasetRules.Train)
            && splits.Exists(split => split.Name == DatasetRules.Val)
            && splits.TrueForAll(split =>
                split.Images.Count > 0
                && split.Images.ClassNames.Count == splits[0].Images.ClassNames.Count
                && Enumerable.Range(0, split.Images.Count).Select(split.Images.Label).Distinct().Count()
                    == split.Images.ClassNames.Count
            );
        List<string> refusals = [];
        if (!whole)
            foreach (string split in new[] { DatasetRules.Train, DatasetRules.Val })
                try
                {
                    ImageDatasets.Open(path, split, new DatasetOptions { ValFraction = valFraction });
                }
                catch (DeitException error)
                {
                    refusals.Add(error.Message.TrimEnd('.'));
                }
        return refusals;
    }
}
