using Deit.Model.Images;
using Deit.Model.Text;

namespace Deit.Train.Data.Inspection;

/// <summary>Pictures of sizes that do not suit the input of the model.</summary>
internal static class SizeFindings
{
    /// <summary>
    /// A picture is small when its shorter side has less than a quarter of the input's: each pixel then becomes sixteen
    /// or more, and a patch of 16 x 16 shows hardly more than one of them.
    /// </summary>
    public const int Smaller = 4;

    /// <summary>
    /// A picture is large when its shorter side has more than eight times the input's: more than 63 of 64 of its pixels
    /// are decoded every epoch and thrown away.
    /// </summary>
    public const int Larger = 8;

    /// <summary>
    /// A picture is long when one side has more than three times the other: the middle square, by which a model is
    /// measured, is less than a third of it.
    /// </summary>
    public const int Longer = 3;

    /// <summary>The findings.</summary>
    public static IEnumerable<Finding> Of(Inspection inspection)
    {
        ImageSize input = inspection.Options.InputSize;
        IEnumerable<Finding?> found =
        [
            Found(
                inspection,
                "small",
                picture => (long)Smaller * Shorter(picture) < input.Shorter,
                picture => -Shorter(picture),
                $"a shorter side below {(input.Shorter + Smaller - 1) / Smaller} pixels, a quarter of the input of {input}",
                "they are enlarged and blurred: find larger ones, or train with a smaller --input-size"
            ),
            Found(
                inspection,
                "large",
                picture => Shorter(picture) > (long)Larger * input.Longer,
                picture => Shorter(picture),
                $"a shorter side above {Larger * input.Longer} pixels, {Larger} times the input of {input}",
                "decoding them takes most of the time: scale copies down once"
            ),
            Found(
                inspection,
                "elongated",
                picture => Math.Max(picture.Width, picture.Height) > (long)Longer * Shorter(picture),
                picture => (double)Math.Max(picture.Width, picture.Height) / Shorter(picture),
                $"one side more than {Longer} times the other",
                "the middle square, by which a model is measured, is a small part of them: cut out what shows the class"
            ),
        ];
        foreach (Finding? finding in found)
            if (finding is not null)
                yield return finding;
    }

    private static int Shorter(InspectedPicture picture) => Math.Min(picture.Width, picture.Height);

    // The worst come first: only some are shown.
    private static Finding? Found(
        Inspection inspection,
        string kind,
        Func<InspectedPicture, bool> condition,
        Func<InspectedPicture, double> badness,
        string what,
        string remedy
    )
    {
        int[] pictures =
        [
            .. Enumerable
                .Range(0, inspection.Pictures.Count)
                .Where(i => inspection.Pictures[i] is { Error: null } picture && condition(picture))
                .OrderByDescending(i => badness(inspection.Pictures[i])),
        ];
        return pictures.Length == 0
            ? null
            : new Finding(
                kind,
                Weight.Notice,
                $"{Plural.Of(pictures.Length, "picture")} of {inspection.Pictures.Count} "
                    + $"{Plural.Choose(pictures.Length, "has", "have")} {what}",
                remedy,
                [
                    .. pictures.Select(i => new Example(
                        $"{inspection.Pictures[i].Width} x {inspection.Pictures[i].Height}",
                        i
                    )),
                ]
            );
    }
}
