using Deit.Train.Data.Names;
using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>
/// The samples of a split among those that a format stores, with labels in the order of the classes of training or of
/// the model. All formats that number their classes use it.
/// </summary>
internal sealed class SampleIndex
{
    private readonly int[] _stored,
        _labels;

    private SampleIndex(IReadOnlyList<string> classNames, int[] stored, int[] labels) =>
        (ClassNames, _stored, _labels) = (classNames, stored, labels);

    /// <summary>The classes of training or of the model.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>How the classes were matched, see <see cref="IImageSplit.Notices"/>.</summary>
    public IReadOnlyList<string> Notices { get; private init; } = [];

    /// <summary>Samples of both sides where a share is held out; null without one.</summary>
    public int? SharedOf { get; private init; }

    /// <summary>How many samples the split has.</summary>
    public int Count => _stored.Length;

    /// <summary>A sample's class, an index into <see cref="ClassNames"/>.</summary>
    public int Label(int index) => _labels[index];

    /// <summary>A sample's number among the stored ones.</summary>
    public int Stored(int index) => _stored[index];

    /// <summary>Chooses the samples and translates their labels.</summary>
    /// <param name="root">The name of the stored split in errors.</param>
    /// <param name="plan">Which of its samples.</param>
    /// <param name="options">The share to hold out and the model's classes.</param>
    /// <param name="labels">The stored labels, indices into <paramref name="names"/>.</param>
    /// <param name="names">The classes as stored.</param>
    /// <param name="trainingNames">The classes of training, where the stored split does not know them; asked for only
    /// without those of a model.</param>
    /// <param name="key">A stored sample's name, unlike any other's, which decides whether it is held out.</param>
    /// <exception cref="DeitException">A class is unknown, there is only one, or nothing can be held out.</exception>
    public static SampleIndex Create(
        string root,
        SplitPlan plan,
        DatasetOptions options,
        int[] labels,
        IReadOnlyList<string> names,
        Func<IReadOnlyList<string>>? trainingNames,
        Func<int, string> key
    )
    {
        IReadOnlyList<string> classNames = options.ClassNames ?? trainingNames?.Invoke() ?? names;
        if (options.Inspecting)
            classNames = [.. classNames.UnionBy(names, CanonicalForm.Of, StringComparer.Ordinal)];
        string[] used = [.. labels.Distinct().Order().Select(label => names[label])];
        ClassLabels labelOf = ClassLabels.Match(
            root,
            used,
            names,
            classNames,
            ofModel: options.ClassNames is not null,
            ("leave its samples out", "leave their samples out")
        );
        if (!options.Inspecting)
            DatasetRules.RequireSeveral(root, classNames, "add samples of another class");

        int[] translated = [.. names.Select(labelOf.Of)]; // -1: a class without samples here
        int[] stored = plan.Validation is { } validation
            ? Share(labels, names.Count, options, validation, key)
            : [.. Enumerable.Range(0, labels.Length)];
        if (stored.Length == 0 && !options.Inspecting)
            throw DatasetRules.NothingToSpare(root, options);
        return new SampleIndex(classNames, stored, [.. stored.Select(sample => translated[labels[sample]])])
        {
            Notices = labelOf.Notices,
            SharedOf = plan.Validation is null ? null : labels.Length,
        };
    }

    /// <summary>The label of a class's number as data gives it.</summary>
    /// <param name="label">The number.</param>
    /// <param name="classes">How many classes have names; null where none have.</param>
    /// <param name="sample">The name of the sample in errors.</param>
    /// <exception cref="DeitException">There is no class of that number.</exception>
    public static int RequireLabel(long label, int? classes, string sample)
    {
        int limit = classes ?? DatasetRules.MostClasses;
        return label >= 0 && label < limit
            ? (int)label
            : throw new DeitException(
                DeitErrorKind.Data,
                $"Opening {sample} failed: its label is {label}, expected 0 to {limit - 1}; "
                    + $"correct the label{(classes is null ? "" : " or the list of classes")}, or leave the sample out."
            );
    }

    /// <summary>The names of classes that have none: their numbers.</summary>
    /// <param name="labels">The label of each sample.</param>
    /// <param name="sample">The name of a sample in errors.</param>
    /// <exception cref="DeitException">A label is far outside of all others: there would be classes by the hundred
    /// thousand, and almost all of them without a sample.</exception>
    public static string[] Numbers(IReadOnlyList<int> labels, Func<int, string> sample)
    {
        int classes = labels.Count == 0 ? 0 : labels.Max() + 1;
        if (classes > DatasetRules.ManyClasses && labels.Distinct().Count() is var used && used < classes / 100)
        {
            int[] sorted = [.. labels.Distinct().Order()];
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening {sample(labels.Index().First(pair => pair.Item == sorted[^1]).Index)} failed: its label is "
                    + $"{sorted[^1]}, expected numbers from 0 on without large gaps, and the {used} labels "
                    + $"in use begin with {string.Join(", ", sorted.Take(3))}; "
                    + "correct the label, leave the sample out, or number the classes anew."
            );
        }
        return [.. Enumerable.Range(0, classes).Select(label => $"{label}")];
    }

    /// <summary>Refuses names that would make two classes one.</summary>
    /// <exception cref="DeitException">One is empty or comes twice.</exception>
    public static IReadOnlyList<string> RequireNames(string source, IReadOnlyList<string> names)
    {
        Dictionary<string, int> first = new(StringComparer.Ordinal);
        for (int i = 0; i < names.Count; i++)
            if (names[i].Length == 0)
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"Reading the class names of '{source}' failed: the name of class {i} is empty, "
                        + "expected one for each class; fill it in."
                );
            else if (!first.TryAdd(CanonicalForm.Of(names[i]), i))
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"Reading the class names of '{source}' failed: classes {first[CanonicalForm.Of(names[i])]} and {i} are both "
                        + $"called '{names[i]}', expected different names; rename one."
                );
        return names;
    }

    /// <summary>Reads a file with a class name on each line.</summary>
    /// <exception cref="DeitException">It cannot be read, has no names, or one that is empty or comes twice.</exception>
    public static IReadOnlyList<string> ReadNames(string path)
    {
        List<string> names =
        [
            .. Utf8Text
                .Lines(path, DatasetRules.Reading(path, () => File.ReadAllBytes(path)))
                .Select(line => line.Trim()),
        ];
        while (names.Count > 0 && names[^1].Length == 0)
            names.RemoveAt(names.Count - 1);
        return names.Count > 0
            ? RequireNames(path, names)
            : throw new DeitException(
                DeitErrorKind.Data,
                $"Reading the class names of '{path}' failed: it is empty, expected a name on each line; fill it in."
            );
    }

    // The share of each class, as in a folder of pictures; in the stored order.
    private static int[] Share(
        int[] labels,
        int classes,
        DatasetOptions options,
        bool validation,
        Func<int, string> key
    )
    {
        List<int>[] ofClass = [.. Enumerable.Range(0, classes).Select(_ => new List<int>())];
        for (int sample = 0; sample < labels.Length; sample++)
            ofClass[labels[sample]].Add(sample);
        List<int> chosen = [];
        foreach (List<int> samples in ofClass)
        {
            Dictionary<string, int> sampleOf = samples.ToDictionary(key, sample => sample, StringComparer.Ordinal);
            chosen.AddRange(
                ValidationSplit
                    .Select([.. samples.Select(key)], options.ValFraction, options.Seed, validation)
                    .Select(name => sampleOf[name])
            );
        }
        chosen.Sort();
        return [.. chosen];
    }
}
