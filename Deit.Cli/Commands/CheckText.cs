using Deit.Cli.Terminal;
using Deit.Model.Text;
using Deit.Train.Data.Inspection;
using Spectre.Console;

namespace Deit.Cli.Commands;

/// <summary>What <c>deit check</c> found, on the terminal: a verdict, then a few lines for each thing.</summary>
internal static class CheckText
{
    private const int ShownExamples = 3,
        ShownPictures = 4,
        ShownClasses = 20;

    /// <summary>Prints it.</summary>
    public static void Print(Inspection inspection)
    {
        Output.Line($"Verdict  {Verdict(inspection)}");
        Output.Line($"Data     {Data(inspection)}");
        if (inspection.Sizes is { } sizes)
            Output.Line($"Sizes    {Sizes(sizes)}");
        Output.Line($"Copies   {Copies(inspection)}");
        PrintClasses(inspection);
        foreach (Finding finding in inspection.Findings)
            Print(inspection, finding);
    }

    /// <summary>The verdict in a line.</summary>
    public static string Verdict(Inspection inspection)
    {
        (Weight Weight, string What)[] weights =
        [
            (Weight.Serious, "to mend before training"),
            (Weight.Warning, "to look at"),
            (Weight.Notice, "to know"),
        ];
        string[] parts =
        [
            .. weights
                .Select(pair => (Count: inspection.Findings.Count(finding => finding.Weight == pair.Weight), pair.What))
                .Where(pair => pair.Count > 0)
                .Select(pair => $"{Plural.Of(pair.Count, "thing")} {pair.What}"),
        ];
        return parts.Length > 0 ? string.Join(", ", parts) : "nothing was found that speaks against training";
    }

    /// <summary>Pictures, classes and splits in a line.</summary>
    public static string Data(Inspection inspection) =>
        $"{Plural.Of(inspection.Pictures.Count, "picture")} of {Plural.Of(inspection.Data.ClassNames.Count, "class")}: "
        + string.Join(", ", inspection.Data.Splits.Select(split => $"{split.Images.Count} {split.Name}"));

    /// <summary>The sizes in a line.</summary>
    public static string Sizes(SizeFacts sizes)
    {
        (int least, int largest) = (sizes.Shorter[0], sizes.Shorter[^1]);
        string sides =
            least == largest
                ? $"shorter side {least} pixels"
                : $"shorter side {least} to {largest} pixels, median {sizes.MedianShorter}";
        return sizes.IsCommon
            ? $"{sides}; {sizes.OfCommonest} of {Plural.Of(sizes.Shorter.Length, "picture")} are "
                + $"{sizes.Commonest.Width} x {sizes.Commonest.Height}"
            : sides;
    }

    /// <summary>Which copies were looked for, in a line.</summary>
    public static string Copies(Inspection inspection) =>
        inspection.Options.Threshold is null ? $"looked for the same pixels alone ({NearFlag(inspection)})"
        : inspection.LookedForCrops
            ? $"looked for the same pixels, and for pictures encoded anew, resized, mirrored or cropped ({NearFlag(inspection)})"
        : $"looked for the same pixels, and for pictures encoded anew, resized or mirrored ({NearFlag(inspection)}); "
            + $"for cropped ones only among up to {NearSearch.MostCropped} pictures";

    /// <summary>The flag that says which near copies were looked for.</summary>
    public static string NearFlag(Inspection inspection) =>
        $"--near {inspection.Options.Threshold?.ToString() ?? "off"}";

    private static void PrintClasses(Inspection inspection)
    {
        IReadOnlyList<string> names = inspection.Data.ClassNames;
        IReadOnlyList<InspectedSplit> splits = inspection.Data.Splits;
        if (names.Count == 0)
            return;
        int[] byCount =
        [
            .. Enumerable
                .Range(0, names.Count)
                .OrderByDescending(label => splits.Index().Sum(split => inspection.Counts.All[split.Index][label])),
        ];
        int[] shown =
            names.Count <= ShownClasses
                ? byCount
                : [.. byCount[..(ShownClasses / 2)], .. byCount[^(ShownClasses / 2)..]];
        Table table = ConsoleReport.Table(["class", .. splits.Select(split => split.Name)]);
        foreach (int label in shown)
            table.Row([names[label], .. splits.Select((_, split) => $"{inspection.Counts.All[split][label]}")]);
        if (shown.Length < names.Count)
            Output.Line($"The {ShownClasses / 2} largest and smallest of {names.Count} classes (--json has all):");
        ConsoleReport.Print(table);
    }

    private static void Print(Inspection inspection, Finding finding)
    {
        string weight = finding.Weight.ToString();
        Output.Line($"{weight, -8} {finding.Sentence}");
        if (finding.Remedy.Length > 0)
            Output.Line($"         {finding.Remedy}");
        foreach (Example example in finding.Examples.Take(ShownExamples))
            Print(inspection, example);
        if (finding.Examples.Count > ShownExamples)
            Output.Line($"           and {finding.Examples.Count - ShownExamples} more");
    }

    private static void Print(Inspection inspection, Example example)
    {
        string indent = new(' ', 11);
        // The sentence of an error names the picture.
        if (example.Pictures is [var only])
        {
            string name = inspection.NameOf(only);
            Output.Line(
                example.Text.Contains(name, StringComparison.Ordinal) ? $"{indent}{example.Text}"
                : example.Text.Length > 0 ? $"{indent}{name}: {example.Text}"
                : $"{indent}{name}"
            );
            return;
        }
        if (example.Text.Length > 0)
            Output.Line($"{indent}{example.Text}{(example.Pictures.Count > 0 ? ":" : "")}");
        foreach (int picture in example.Pictures.Take(ShownPictures))
            Output.Line(
                $"{indent}  {inspection.NameOf(picture)} ({inspection.SplitOf(picture)}, {inspection.ClassOf(picture)})"
            );
        if (example.Pictures.Count > ShownPictures)
            Output.Line($"{indent}  and {example.Pictures.Count - ShownPictures} more");
    }
}
