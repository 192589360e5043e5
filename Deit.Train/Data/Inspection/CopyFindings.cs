namespace Deit.Train.Data.Inspection;

/// <summary>What copies of pictures mean: a label that is wrong, figures that are too good, or nothing much.</summary>
internal static class CopyFindings
{
    // Of a large group the members are compared with the first ones alone.
    private const int MostCompared = 12;

    /// <summary>The findings.</summary>
    public static IEnumerable<Finding> Of(Inspection inspection, Copies copies)
    {
        foreach ((bool exact, IReadOnlyList<int[]> groups) in new[] { (true, copies.Exact), (false, copies.Near) })
        {
            string which = exact ? "exact" : "near",
                how = exact ? "have the same pixels" : "look the same";
            int[][] twoLabels = [.. groups.Where(group => Differ(group, i => inspection.Pictures[i].Class))];
            int[][] across = [.. groups.Where(group => Differ(group, i => inspection.Pictures[i].Split))];
            int[][] within =
            [
                .. groups.Where(group =>
                    !Differ(group, i => inspection.Pictures[i].Class)
                    && !Differ(group, i => inspection.Pictures[i].Split)
                ),
            ];
            if (twoLabels.Length > 0)
                yield return new Finding(
                    $"two_labels_{which}",
                    Weight.Warning,
                    $"{Groups(twoLabels)} {how} and lie in different classes",
                    "one of the labels is wrong: keep the picture in the right class alone",
                    Examples(inspection, copies, twoLabels)
                );
            if (across.Length > 0)
                yield return new Finding(
                    $"leak_{which}",
                    Weight.Warning,
                    $"{Groups(across)} {how} and lie in different splits ({Leaked(inspection, across)})",
                    "a model has seen such pictures when it is measured by them, and its figures are too good: keep each in one split",
                    Examples(inspection, copies, across)
                );
            if (within.Length > 0)
                yield return new Finding(
                    $"copies_{which}",
                    Weight.Notice,
                    $"{Groups(within)} {how}, in one split and class",
                    exact
                        ? "such a picture counts more than others: keep one of each"
                        : "look at them first: where they are copies, keep one of each",
                    Examples(inspection, copies, within)
                );
        }
    }

    private static bool Differ(int[] group, Func<int, int> value) =>
        Array.Exists(group, i => value(i) != value(group[0]));

    private static string Groups(int[][] groups) =>
        groups.Length == 1
            ? $"{groups[0].Length} pictures"
            : $"{groups.Length} groups of pictures, {groups.Sum(group => group.Length)} in all,";

    // "12 of val, 3 of test are in another split too"
    private static string Leaked(Inspection inspection, int[][] across) =>
        string.Join(
            ", ",
            across
                .SelectMany(group => group)
                .CountBy(i => inspection.Pictures[i].Split)
                .OrderBy(pair => pair.Key)
                .Select(pair => $"{pair.Value} of {inspection.Data.Splits[pair.Key].Name}")
        );

    private static List<Example> Examples(Inspection inspection, Copies copies, int[][] groups) =>
        [
            .. groups
                .Select(group => Varied(inspection, group))
                .Select(group => new Example(Likenesses(copies, group), group)),
        ];

    // Where some of a group are shown, they are to be of different splits and classes.
    private static int[] Varied(Inspection inspection, int[] group)
    {
        int[] first = [.. group.DistinctBy(i => (inspection.Pictures[i].Split, inspection.Pictures[i].Class))];
        return [.. first, .. group.Except(first)];
    }

    private static string Likenesses(Copies copies, int[] group)
    {
        List<string> texts = [];
        for (int i = 1; i < Math.Min(group.Length, MostCompared); i++)
        {
            Likeness? best = null;
            for (int before = 0; before < i; before++)
                if (
                    copies.Compare(group[before], group[i]) is { } likeness
                    && (
                        best is not { } known
                        || (likeness.Kind, likeness.Distance).CompareTo((known.Kind, known.Distance)) < 0
                    )
                )
                    best = likeness;
            if (best is { } found)
                texts.Add(found.ToString());
        }
        return string.Join("; ", texts.Distinct());
    }
}
