using Deit.Model.Files;
using Deit.Train.Data.Names;

namespace Deit.Train.Data.Splits;

/// <summary>The demands that every format makes on splits, shares and classes, said in the same words.</summary>
internal static class DatasetRules
{
    public const string Train = "train",
        Val = "val",
        Test = "test";

    /// <summary>
    /// More classes than any data set has. A label beyond is damage, which is found without making lists of that
    /// length.
    /// </summary>
    public const int MostClasses = 1_000_000;

    /// <summary>More classes than most data sets have. Labels beyond it are damage where they are few.</summary>
    public const int ManyClasses = 100_000;

    /// <exception cref="DeitException">The share is not one from 0 to below 1.</exception>
    public static void RequireShare(string folder, DatasetOptions options)
    {
        if (options.ValFraction is not (>= 0 and < 1))
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Holding out a share of {options.ValFraction} of '{folder}' failed: expected 0 to below 1; correct --val-fraction."
            );
    }

    /// <summary>The error of a split that is not there.</summary>
    public static NoSuchSplitException NoSuchSplit(
        string folder,
        string split,
        IEnumerable<string> splits,
        string remedy
    ) => new($"Opening the split '{split}' of '{folder}' failed: it has {Quote(splits)}; {remedy}.");

    /// <exception cref="DeitException">There is but one class.</exception>
    public static void RequireSeveral(string root, IReadOnlyList<string> classNames, string remedy)
    {
        if (classNames.Count == 1)
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening '{root}' failed: '{classNames[0]}' is its only class, expected at least two; {remedy}."
            );
    }

    /// <summary>Refuses names that look the same: "é" as one character, and as a letter with an accent.</summary>
    /// <exception cref="DeitException">Two names differ in their Unicode form alone.</exception>
    public static void RequireDistinct(string root, IEnumerable<string> classNames)
    {
        if (
            classNames.GroupBy(CanonicalForm.Of, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is
            { } same
        )
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening '{root}' failed: {same.Count()} of its classes are called '{same.First()}', and differ in the "
                    + "Unicode form of that name alone (a letter with its accent as one character or as two); "
                    + "put their pictures together under one of the names."
            );
    }

    /// <summary>The label of each class.</summary>
    public static Dictionary<string, int> LabelOf(IReadOnlyList<string> classNames) =>
        classNames
            .Select((name, label) => (name, label))
            .ToDictionary(pair => pair.name, pair => pair.label, StringComparer.Ordinal);

    /// <summary>The error where nothing can be held out: every class has but one picture, and training keeps it.</summary>
    public static DeitException NothingToSpare(string folder, DatasetOptions options) =>
        new(
            DeitErrorKind.Data,
            $"Holding out a share of {options.ValFraction} of '{folder}' failed: no class has a picture to spare; add pictures."
        );

    /// <summary>Reads a file; an error names the file.</summary>
    /// <exception cref="DeitException">It failed.</exception>
    public static T Reading<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                DeitErrorKind.Data,
                $"Reading '{path}' failed: {ReadFailure.Reason(path, error)}; check that it is there and can be read.",
                error
            );
        }
    }

    public static string Quote(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"'{name}'"));

    /// <summary>Up to three names, and how many more there are.</summary>
    public static string Some(IReadOnlyCollection<string> names)
    {
        const int Shown = 3;
        return Quote(names.Take(Shown)) + (names.Count > Shown ? $" and {names.Count - Shown} more" : "");
    }

    /// <summary>Up to three classes by name, and how many more there are.</summary>
    public static string Classes(string[] names) => $"{(names.Length == 1 ? "class" : "classes")} {Some(names)}";
}
