using Deit.Train.Data.Inspection;
using Deit.Train.Options;

namespace Deit.Cli.Commands;

/// <summary>What <c>deit check</c> found, for programs.</summary>
internal static class CheckJson
{
    /// <summary>The object to write as JSON.</summary>
    public static object Of(Inspection inspection) =>
        new
        {
            inspection.Options.Data,
            Verdict = inspection.Findings.Count > 0 ? FlagValue.Name(inspection.Findings[0].Weight) : "nothing",
            Pictures = inspection.Pictures.Count,
            inspection.Unreadable,
            Near = inspection.Options.Threshold,
            inspection.LookedForCrops,
            InputSize = $"{inspection.Options.InputSize}",
            Splits = inspection.Data.Splits.Select(
                (split, number) =>
                    new
                    {
                        split.Name,
                        Pictures = split.Images.Count,
                        Unreadable = split.Images.Count - inspection.Counts.Readable[number].Sum(),
                    }
            ),
            Classes = inspection.Data.ClassNames.Select(
                (name, number) =>
                    new
                    {
                        Name = name,
                        Pictures = inspection
                            .Data.Splits.Select((split, at) => (split.Name, inspection.Counts.All[at][number]))
                            .ToDictionary(pair => pair.Name, pair => pair.Item2, StringComparer.Ordinal),
                    }
            ),
            Sizes = inspection.Sizes is { } sizes
                ? new
                {
                    CommonestWidth = sizes.Commonest.Width,
                    CommonestHeight = sizes.Commonest.Height,
                    OfCommonest = sizes.OfCommonest,
                    Shorter = Quartiles(sizes.Shorter),
                    Longer = Quartiles(sizes.Longer),
                }
                : null,
            Findings = inspection.Findings.Select(finding => new
            {
                finding.Kind,
                Weight = FlagValue.Name(finding.Weight),
                finding.Sentence,
                finding.Remedy,
                Examples = finding.Examples.Select(example => new
                {
                    example.Text,
                    Pictures = example.Pictures.Select(picture => new
                    {
                        Name = inspection.NameOf(picture),
                        Split = inspection.SplitOf(picture),
                        Class = inspection.ClassOf(picture),
                        inspection.Pictures[picture].Width,
                        inspection.Pictures[picture].Height,
                    }),
                }),
            }),
        };

    private static int[] Quartiles(int[] sorted) =>
        [.. Enumerable.Range(0, 5).Select(quarter => sorted[(int)((long)(sorted.Length - 1) * quarter / 4)])];
}
