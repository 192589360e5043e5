using Deit.Model;

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

    /// <exception cref="DeitException">The share is not one from 0 to below 1.</exception>
    public static void RequireShare(string folder, DatasetOptions options)
    {
        if (options.ValFraction is not (>= 0 and < 1))
            throw new DeitException(
                $"Holding out a share of {options.ValFraction} of '{folder}' failed: expected 0 to below 1; correct --val-fraction."
            );
    }

    /// <summary>The error of a split that is not there.</summary>
    public static DeitException NoSuchSplit(string folder, string split, IEnumerable<string> splits, string remedy) =>
        new($"Opening the split '{split}' of '{folder}' failed: it has {Quote(splits)}; {remedy}.");

    /// <summary>Refuses classes that the model, or training, does not know.</summary>
    /// <param name="root">The name of the opened data in errors.</param>
    /// <param name="classes">The classes of its pictures.</param>
    /// <param name="known">The classes of the model or of training.</param>
    /// <param name="options">Say whether the known classes are those of a model.</param>
    /// <param name="remedy">The remedy for one unknown class and for several.</param>
    /// <exception cref="DeitException">There are unknown ones.</exception>
    public static void RequireKnown(
        string root,
        IEnumerable<string> classes,
        IReadOnlyList<string> known,
        DatasetOptions options,
        (string One, string Several) remedy
    )
    {
        if (classes.Except(known).ToArray() is { Length: > 0 } unknown)
            throw new DeitException(
                $"Opening '{root}' failed: {(options.ClassNames is null ? "training" : "the model")} does not have "
                    + $"its {Classes(unknown)}; {(unknown.Length == 1 ? remedy.One : remedy.Several)}."
            );
    }

    /// <exception cref="DeitException">There is but one class.</exception>
    public static void RequireSeveral(string root, IReadOnlyList<string> classNames, string remedy)
    {
        if (classNames.Count == 1)
            throw new DeitException(
                $"Opening '{root}' failed: '{classNames[0]}' is its only class, expected at least two; {remedy}."
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
                $"Reading '{path}' failed: {error.Message.TrimEnd('.')}; check that it is there and can be read.",
                error
            );
        }
    }

    public static string Quote(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"'{name}'"));

    private static string Classes(string[] names)
    {
        const int Shown = 3;
        string more = names.Length > Shown ? $" and {names.Length - Shown} more" : "";
        return $"{(names.Length == 1 ? "class" : "classes")} {Quote(names.Take(Shown))}{more}";
    }
}
