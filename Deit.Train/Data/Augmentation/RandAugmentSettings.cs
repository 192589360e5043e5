using System.Globalization;
using System.Text.RegularExpressions;

namespace Deit.Train.Data.Augmentation;

/// <summary>
/// The settings in a RandAugment string, in timm's grammar: <c>rand</c>, then sections of a key and a number joined by
/// hyphens.
/// </summary>
internal sealed partial record RandAugmentSettings
{
    /// <summary><c>m</c>: the magnitude, of 0 to 10; more is clipped when it is drawn.</summary>
    public int Magnitude { get; init; } = (int)RandAugmentOperations.LargestMagnitude;

    /// <summary><c>n</c>: operations a picture.</summary>
    public int Layers { get; init; } = 2;

    /// <summary><c>mstd</c>: the deviation of the magnitude.</summary>
    public double MagnitudeDeviation { get; init; }

    /// <summary><c>inc</c>: whether every operation grows stronger with the magnitude.</summary>
    public bool Increasing { get; init; }

    /// <summary><c>w</c>: whether operations are drawn by timm's weights, and then without replacement.</summary>
    public bool Weighted { get; init; }

    /// <summary>Operations that have a weight.</summary>
    public const int WeightedOperations = RandAugmentOperations.Count - 2;

    /// <summary>Reads a string.</summary>
    /// <remarks>
    /// As in timm, <c>inc0</c> is the same as <c>inc1</c>: timm asks whether the text is empty, not whether the number
    /// is 0. To turn it off, leave the section out.
    /// </remarks>
    /// <exception cref="DeitException">The text is no such string.</exception>
    public static RandAugmentSettings Parse(string text)
    {
        string[] sections = text.Split('-');
        if (sections[0] != "rand")
            throw Wrong(text, $"it begins with '{sections[0]}'");
        RandAugmentSettings settings = new();
        foreach (string section in sections[1..])
            settings = settings.With(section) ?? throw Wrong(text, $"'{section}' is no section of it");
        if (settings.Weighted && settings.Layers > WeightedOperations)
            throw Wrong(
                text,
                $"'n{settings.Layers}' is more than the {WeightedOperations} operations that w0 draws without replacement"
            );
        return settings;
    }

    private RandAugmentSettings? With(string section)
    {
        if (
            Section().Match(section)
            is not { Success: true, Groups: [_, { Value: string key }, { Value: string number }] }
        )
            return null;
        bool whole = int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int integer);
        return key switch
        {
            "m" when whole => this with { Magnitude = integer },
            "n" when whole => this with { Layers = integer },
            "w" when whole && integer == 0 => this with { Weighted = true },
            "mstd" => this with { MagnitudeDeviation = double.Parse(number, CultureInfo.InvariantCulture) },
            "inc" when whole => this with { Increasing = true },
            _ => null,
        };
    }

    private static DeitException Wrong(string text, string what) =>
        new(
            DeitErrorKind.Usage,
            $"--aa is '{text}', but {what}; expected rand and any of -mN (magnitude), -nN (operations), "
                + "-mstdX (deviation), -inc1, -w0, as in rand-m9-mstd0.5-inc1."
        );

    [GeneratedRegex(@"^([a-z]+)(\d+(?:\.\d+)?)$", RegexOptions.CultureInvariant)]
    private static partial Regex Section();
}
