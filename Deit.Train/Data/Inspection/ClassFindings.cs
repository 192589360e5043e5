using Deit.Model.Text;
using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Inspection;

/// <summary>What is wrong or strange about the classes.</summary>
internal static class ClassFindings
{
    /// <summary>A class with fewer pictures to learn from is rare: with one in ten held out not one is left to measure it
    /// by.</summary>
    public const int FewPictures = 10;

    /// <summary>From here on a model does well by answering the large classes alone.</summary>
    public const int Imbalance = 10;

    // A class whose pictures are grey, unlike others, is recognised by that.
    private const double MostlyGrey = 0.9,
        SeldomGrey = 0.5;

    /// <summary>The findings.</summary>
    public static IEnumerable<Finding> Of(Inspection inspection)
    {
        int train = SplitNumber(inspection, DatasetRules.Train);
        if (train < 0)
            yield break; // said with what training refuses
        IEnumerable<Finding?> found =
        [
            Unreadable(inspection, train),
            Empty(inspection, train),
            InOneSplit(inspection, train),
            Rare(inspection, train),
            Unbalanced(inspection, train),
            Grey(inspection, train),
        ];
        foreach (Finding? finding in found)
            if (finding is not null)
                yield return finding;
    }

    private static Finding? Unreadable(Inspection inspection, int train)
    {
        int[] lost = Classes(
            inspection,
            c => inspection.Counts is var n && n.All[train][c] > 0 && n.Readable[train][c] == 0
        );
        return lost.Length == 0
            ? null
            : new Finding(
                "class_unreadable",
                Weight.Serious,
                $"{Plural.Of(lost.Length, "class")} {Plural.Choose(lost.Length, "has", "have")} no picture for training that can be read",
                "a model learns nothing of it: replace the pictures or remove the class",
                Named(
                    inspection,
                    lost,
                    c => $"{Plural.Of(inspection.Counts.All[train][c], "picture")}, none of which can be read"
                )
            );
    }

    private static Finding? Empty(Inspection inspection, int train)
    {
        int[] empty = Classes(
            inspection,
            c =>
                inspection.Counts.All[train][c] == 0
                && inspection.Data.Splits[train].Images.ClassNames.Contains(inspection.Data.ClassNames[c])
        );
        return empty.Length == 0
            ? null
            : new Finding(
                "class_empty",
                Weight.Warning,
                $"{Plural.Of(empty.Length, "class")} {Plural.Choose(empty.Length, "has", "have")} no picture for training",
                "add pictures or remove the class",
                Named(inspection, empty, _ => "")
            );
    }

    // A class that training has not is said with what training refuses.
    private static Finding? InOneSplit(Inspection inspection, int train)
    {
        int[] others =
        [
            .. Enumerable
                .Range(0, inspection.Data.Splits.Count)
                .Where(split => split != train && inspection.Data.Splits[split].Images.Count > 0),
        ];
        string[] names = [.. others.Select(split => $"'{inspection.Data.Splits[split].Name}'")];
        int[] alone = Classes(
            inspection,
            c => inspection.Counts.All[train][c] > 0 && others.Any(split => inspection.Counts.All[split][c] == 0)
        );
        int[] never = Classes(
            inspection,
            c => inspection.Counts.All[train][c] == 0 && others.Any(split => inspection.Counts.All[split][c] > 0)
        );
        int[] all = [.. alone, .. never];
        return all.Length == 0 || others.Length == 0
            ? null
            : new Finding(
                "class_in_one_split",
                Weight.Warning,
                $"{Plural.Of(all.Length, "class")} {Plural.Choose(all.Length, "lies", "lie")} in some splits alone "
                    + $"('train', {string.Join(", ", names)})",
                "a class without pictures to measure by has no figures, and one without pictures to learn from is never answered: "
                    + "give every split pictures of each class",
                Named(inspection, all, c => Lacks(inspection, c))
            );
    }

    private static string Lacks(Inspection inspection, int label) =>
        "none in "
        + string.Join(
            " and ",
            inspection
                .Data.Splits.Index()
                .Where(split => inspection.Counts.All[split.Index][label] == 0)
                .Select(split => $"'{split.Item.Name}'")
        );

    private static Finding? Rare(Inspection inspection, int train)
    {
        int[] rare =
        [
            .. Classes(inspection, c => inspection.Counts.Readable[train][c] is > 0 and < FewPictures)
                .OrderBy(c => inspection.Counts.Readable[train][c]),
        ];
        return rare.Length == 0
            ? null
            : new Finding(
                "class_rare",
                Weight.Warning,
                $"{Plural.Of(rare.Length, "class")} {Plural.Choose(rare.Length, "has", "have")} "
                    + $"fewer than {FewPictures} pictures for training",
                "a model hardly learns it: add pictures, or put it together with a class that is like it",
                Named(inspection, rare, c => Plural.Of(inspection.Counts.Readable[train][c], "picture"))
            );
    }

    private static Finding? Unbalanced(Inspection inspection, int train)
    {
        int[] counts = inspection.Counts.Readable[train];
        int[] filled = Classes(inspection, c => counts[c] > 0);
        if (filled.Length < 2)
            return null;
        int least = filled.MinBy(c => counts[c]),
            most = filled.MaxBy(c => counts[c]);
        return counts[most] < (long)Imbalance * counts[least]
            ? null
            : new Finding(
                "imbalance",
                Weight.Notice,
                $"the largest class, '{inspection.Data.ClassNames[most]}', has {counts[most]} pictures for training, the smallest, "
                    + $"'{inspection.Data.ClassNames[least]}', {counts[least]}",
                "the accuracy over all pictures is that of the large classes: look at the recall of each class as well (deit eval)",
                []
            );
    }

    private static Finding? Grey(Inspection inspection, int train)
    {
        int[] grey = new int[inspection.Data.ClassNames.Count];
        foreach (InspectedPicture picture in inspection.Pictures)
            if (picture.Split == train && picture.Small is { IsGrey: true })
                grey[picture.Class]++;
        int[] counts = inspection.Counts.Readable[train];
        int[] mostly = Classes(inspection, c => counts[c] >= FewPictures && grey[c] >= MostlyGrey * counts[c]);
        return mostly.Length == 0 || grey.Sum() > SeldomGrey * counts.Sum()
            ? null
            : new Finding(
                "class_grey",
                Weight.Notice,
                $"{Plural.Of(mostly.Length, "class")} {Plural.Choose(mostly.Length, "has", "have")} almost only pictures without colours, "
                    + "unlike the others",
                "a model may know the class by that alone: add pictures with colours",
                Named(inspection, mostly, c => $"{grey[c]} of {Plural.Of(counts[c], "picture")}")
            );
    }

    private static int SplitNumber(Inspection inspection, string name) =>
        inspection.Data.Splits.Index().FirstOrDefault(split => split.Item.Name == name, (-1, null!)).Index;

    private static int[] Classes(Inspection inspection, Func<int, bool> condition) =>
        [.. Enumerable.Range(0, inspection.Data.ClassNames.Count).Where(condition)];

    private static List<Example> Named(Inspection inspection, int[] classes, Func<int, string> text) =>
        [
            .. classes.Select(c => new Example(
                text(c) is { Length: > 0 } more
                    ? $"'{inspection.Data.ClassNames[c]}': {more}"
                    : $"'{inspection.Data.ClassNames[c]}'"
            )),
        ];
}
