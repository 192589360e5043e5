using System.Collections.Frozen;
using System.Globalization;
using Deit.Model.Text;

namespace Deit.Train.Data.Inspection;

/// <summary>What is wrong or strange about the files.</summary>
internal static class FileFindings
{
    // A few transparent pixels, as at rounded corners, change nothing.
    private const double SeenThrough = 0.05;

    private static readonly FrozenDictionary<string, string> FormatOf = new Dictionary<string, string>
    {
        [".jpg"] = "JPEG",
        [".jpeg"] = "JPEG",
        [".jfif"] = "JPEG",
        [".jpe"] = "JPEG",
        [".jif"] = "JPEG",
        [".png"] = "PNG",
        [".apng"] = "PNG",
        [".webp"] = "WebP",
        [".gif"] = "GIF",
        [".bmp"] = "BMP",
        [".dib"] = "BMP",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The findings.</summary>
    public static IEnumerable<Finding> Of(Inspection inspection)
    {
        InspectedData data = inspection.Data;
        foreach (
            Finding? finding in (Finding?[])
                [
                    .. data.Refusals.Select(Refused),
                    Unopened(data),
                    Unreadable(inspection),
                    Misnamed(inspection),
                    Transparent(inspection),
                ]
        )
            if (finding is not null)
                yield return finding;
        string[] notices = [.. data.Splits.SelectMany(split => split.Images.Notices).Distinct()];
        if (notices.Length > 0)
            yield return new Finding(
                "passed_over",
                Weight.Notice,
                notices.Length == 1 ? "something is passed over" : "some things are passed over",
                "see the sentences",
                [.. notices.Select(notice => new Example(notice))]
            );
        int[] animated = Where(inspection, picture => picture.Encoded.Frames > 1);
        if (animated.Length > 0)
            yield return new Finding(
                "animated",
                Weight.Notice,
                $"{Plural.Of(animated.Length, "picture")} {Plural.Choose(animated.Length, "is an animation", "are animations")}",
                "the first frame alone is used: take it out yourself where another one shows the class",
                [.. animated.Select(i => new Example($"{inspection.Pictures[i].Encoded.Frames} frames", i))]
            );
        int[] cmyk = Where(inspection, picture => picture.Encoded.IsCmyk);
        if (cmyk.Length > 0)
            yield return new Finding(
                "cmyk",
                Weight.Notice,
                $"{Plural.Of(cmyk.Length, "picture")} {Plural.Choose(cmyk.Length, "has", "have")} the colours of print (CMYK)",
                "they are turned into RGB without a colour profile and may look too strong: save them as RGB to be sure",
                [.. cmyk.Select(i => new Example("", i))]
            );
    }

    // The sentence of training says what is wrong, and then what to do.
    private static Finding Refused(string refusal)
    {
        int remedy = refusal.LastIndexOf("; ", StringComparison.Ordinal);
        return new Finding(
            "refused",
            Weight.Serious,
            remedy < 0 ? refusal : refusal[..remedy],
            $"{(remedy < 0 ? "mend it" : refusal[(remedy + 2)..])}; training does not begin before",
            []
        );
    }

    private static Finding? Unopened(InspectedData data) =>
        data.Unopened.Count == 0
            ? null
            : new Finding(
                "unopened",
                Weight.Warning,
                "'test' cannot be opened, which training does not do: it is not looked at",
                "do what the sentence says before a model is measured by it",
                [.. data.Unopened.Select(reason => new Example(reason))]
            );

    private static Finding? Transparent(Inspection inspection)
    {
        int[] transparent = Where(inspection, picture => picture.Transparent > SeenThrough);
        return transparent.Length == 0
            ? null
            : new Finding(
                "transparent",
                Weight.Notice,
                $"{Plural.Of(transparent.Length, "picture")} {Plural.Choose(transparent.Length, "is", "are")} transparent in part",
                "the colours that are hidden under the transparency are used, which viewers do not show: "
                    + "lay the pictures on a background first",
                [
                    .. transparent.Select(i => new Example(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{100 * inspection.Pictures[i].Transparent:0} % of it"
                        ),
                        i
                    )),
                ]
            );
    }

    private static Finding? Unreadable(Inspection inspection)
    {
        int[] unreadable = Where(inspection, picture => picture.Error is not null);
        if (unreadable.Length == 0)
            return null;
        // The share at which a training stops. It never opens the test split.
        InspectedSplit? lost = inspection.Data.Splits.FirstOrDefault(split =>
            split.IsOfTraining && 2L * unreadable.Count(i => inspection.SplitOf(i) == split.Name) > split.Images.Count
        );
        return new Finding(
            "unreadable",
            lost is null ? Weight.Warning : Weight.Serious,
            $"{Plural.Of(unreadable.Length, "picture")} of {inspection.Pictures.Count} cannot be read"
                + (lost is null ? "" : $", and of '{lost.Name}' more than a half, at which training stops"),
            "training leaves such pictures out: replace or remove them",
            [.. unreadable.Select(i => new Example(inspection.Pictures[i].Error!, i))]
        );
    }

    private static Finding? Misnamed(Inspection inspection)
    {
        // Parquet has no names, and a wrong one of a picture that cannot be read is not what matters.
        Example[] misnamed =
        [
            .. Where(inspection, picture => picture is { Error: null, Encoded.Format: not null })
                .Select(i => (Picture: i, Extension: Path.GetExtension(inspection.NameOf(i))))
                .Where(pair =>
                    FormatOf.TryGetValue(pair.Extension, out string? format)
                    && format != inspection.Pictures[pair.Picture].Encoded.Format
                )
                .Select(pair => new Example(
                    $"{inspection.Pictures[pair.Picture].Encoded.Format} called {pair.Extension}",
                    pair.Picture
                )),
        ];
        return misnamed.Length == 0
            ? null
            : new Finding(
                "wrong_extension",
                Weight.Notice,
                $"{Plural.Of(misnamed.Length, "picture")} {Plural.Choose(misnamed.Length, "is", "are")} "
                    + "of another format than the name says",
                "training reads them all the same, other programs may not: rename them",
                misnamed
            );
    }

    private static int[] Where(Inspection inspection, Func<InspectedPicture, bool> condition) =>
        [.. Enumerable.Range(0, inspection.Pictures.Count).Where(i => condition(inspection.Pictures[i]))];
}
