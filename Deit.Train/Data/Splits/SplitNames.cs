namespace Deit.Train.Data.Splits;

/// <summary>What people call the splits of a data set: folders, files and <c>--split</c> follow this one list.</summary>
internal static class SplitNames
{
    /// <summary>The splits, in their order.</summary>
    public static IReadOnlyList<string> Stored { get; } = [DatasetRules.Train, DatasetRules.Val, DatasetRules.Test];

    /// <summary>The name of every picture there is, in whichever split.</summary>
    public const string All = "all";

    /// <summary>The split that a word means, in any case: "train", "val" or "test"; null of another word.</summary>
    public static string? Of(string word) =>
        word.ToLowerInvariant() switch
        {
            "train" or "training" => DatasetRules.Train,
            "val" or "valid" or "validation" or "dev" => DatasetRules.Val,
            "test" or "testing" => DatasetRules.Test,
            _ => null,
        };

    /// <summary>The split that a command asks for: one of <see cref="Stored"/>, or <see cref="All"/>; another word stays
    /// as it is, and no data has it.</summary>
    public static string Asked(string word) =>
        Of(word) ?? (word.Equals(All, StringComparison.OrdinalIgnoreCase) ? All : word);

    /// <summary>The split that the name of a file says, and the word in it that says so; null of another name.</summary>
    /// <remarks>
    /// The first word of the usual spelling decides, as in <c>imagenet-train-000000.tar</c>. Other spellings are looked
    /// for only without one: <c>Test-set-train-0.tar</c> is of "train".
    /// </remarks>
    public static (string Split, string Word)? InFile(string name)
    {
        string[] words = name.Split('-', '_', '.');
        return words.FirstOrDefault(word => IsUsual(word) && Of(word) is not null) is { } usual ? (Of(usual)!, usual)
            : words.FirstOrDefault(word => Of(word) is not null) is { } other ? (Of(other)!, other)
            : null;
    }

    /// <summary>Whether a word is the usual spelling of a split.</summary>
    public static bool IsUsual(string word) => word is "train" or "val" or "valid" or "validation" or "test";

    /// <summary>The error of two names that mean one split.</summary>
    /// <param name="folder">Where both are.</param>
    /// <param name="split">The split.</param>
    /// <param name="first">One of its names.</param>
    /// <param name="second">The other.</param>
    public static DeitException Twice(string folder, string split, string first, string second) =>
        new(
            DeitErrorKind.Data,
            $"Opening '{folder}' failed: '{first}' and '{second}' both name its split '{split}', expected one of them; "
                + "put their pictures together or rename one."
        );
}
