using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;

namespace Deit.Train;

/// <summary>The images of a program as a source of splits. They keep the order in which the program has them.</summary>
/// <param name="training">The images to learn from, or all of them.</param>
/// <param name="validation">The images to evaluate with; null where a share of the others is held out.</param>
internal sealed class GivenImages(IImageDataset training, IImageDataset? validation) : IImageSource
{
    /// <summary>The images to learn from, or all of them.</summary>
    public IImageDataset Training => training;

    /// <summary>Whether another source has the same datasets.</summary>
    public bool IsOf(IImageSource other) =>
        other is GivenImages given
        && ReferenceEquals(given.Training, training)
        && ReferenceEquals(given.Validation, validation);

    /// <summary>The same images, whose number, labels and names no longer change.</summary>
    public GivenImages Read() =>
        new(new ImagesAtStart(training), validation is null ? null : new ImagesAtStart(validation));

    private IImageDataset? Validation => validation;

    /// <inheritdoc/>
    public string Name => "images of the program";

    /// <inheritdoc/>
    public string? Folder => null;

    /// <inheritdoc/>
    public bool IsUndivided => validation is null;

    /// <inheritdoc/>
    public IImageSplit Open(string split, DatasetOptions options)
    {
        DatasetRules.RequireShare(Name, options);
        string asked = SplitNames.Asked(split);
        return asked == SplitNames.All
            ? JoinedDataset.Open(Name, options, (_, one, with) => OpenSplit(one, with))
            : OpenSplit(asked, options);
    }

    private GivenSplit OpenSplit(string split, DatasetOptions options)
    {
        bool divided = validation is null && options.ValFraction > 0;
        string[] splits =
            validation is not null || divided ? [DatasetRules.Train, DatasetRules.Val] : [DatasetRules.Train];
        if (!splits.Contains(split))
            throw DatasetRules.NoSuchSplit(
                Name,
                split,
                splits,
                split == DatasetRules.Val
                    ? "hold out a share of the images with --val-fraction, for example 0.1, or give images for validation"
                    : "name one of these"
            );
        IImageDataset images = split == DatasetRules.Val ? validation ?? training : training;
        string[] classNames = ClassNames(images);
        int[] labels = Labels(images, classNames);
        string[] names = [.. Enumerable.Range(0, labels.Length).Select(images.GetName)];
        IReadOnlyList<string> known =
            options.ClassNames ?? (ReferenceEquals(images, training) ? classNames : ClassNames(training));
        ClassLabels labelOf = ClassLabels.Match(
            Name,
            [.. labels.Distinct().Order().Select(label => classNames[label])],
            classNames,
            known,
            ofModel: options.ClassNames is not null,
            ("give these images another class, or leave them out", "give these images other classes, or leave them out")
        );
        int[] indices = [.. Enumerable.Range(0, labels.Length)];
        if (divided)
            indices = Side(labels, names, options, validation: split == DatasetRules.Val);
        if (indices.Length == 0)
            throw DatasetRules.NothingToSpare(Name, options);
        return new GivenSplit(images, known, indices, labels, names)
        {
            LabelOf = [.. classNames.Select(labelOf.Of)],
            Notices = labelOf.Notices,
            SharedOf = divided ? labels.Length : null,
        };
    }

    // The images of a class are divided by their names, as the files of a folder are. Of several with one name each counts for itself.
    private static int[] Side(int[] labels, string[] names, DatasetOptions options, bool validation)
    {
        Dictionary<(int, string), int> seen = [];
        names =
        [
            .. names.Select(
                (name, i) =>
                {
                    int before = seen.GetValueOrDefault((labels[i], name));
                    seen[(labels[i], name)] = before + 1;
                    return before == 0 ? name : FormattableString.Invariant($"{name}\n{before}");
                }
            ),
        ];
        HashSet<(int, string)> side =
        [
            .. labels
                .Index()
                .GroupBy(image => image.Item, image => names[image.Index])
                .SelectMany(
                    ofClass => ValidationSplit.Select([.. ofClass], options.ValFraction, options.Seed, validation),
                    (ofClass, name) => (ofClass.Key, name)
                ),
        ];
        return [.. Enumerable.Range(0, labels.Length).Where(i => side.Contains((labels[i], names[i])))];
    }

    private string[] ClassNames(IImageDataset images)
    {
        string[] names = [.. images.ClassNames];
        if (names.Distinct(StringComparer.Ordinal).Count() < names.Length)
            throw Wrong($"its classes are called {DatasetRules.Quote(names)}", "each name once", "rename one");
        DatasetRules.RequireDistinct(Name, names);
        DatasetRules.RequireSeveral(Name, names, "give images of another class, too");
        return names;
    }

    private int[] Labels(IImageDataset images, string[] classNames)
    {
        int count = images.Count;
        if (count < 1)
            throw Wrong($"there are {count}", "at least one", "give some");
        int[] labels = [.. Enumerable.Range(0, count).Select(images.GetLabel)];
        int wrong = Array.FindIndex(labels, label => label < 0 || label >= classNames.Length);
        return wrong < 0
            ? labels
            : throw Wrong(
                $"'{images.GetName(wrong)}' has the label {labels[wrong]}",
                $"0 to {classNames.Length - 1}, an index into its {classNames.Length} class names",
                "correct GetLabel"
            );
    }

    private DeitException Wrong(string actual, string expected, string remedy) =>
        new(DeitErrorKind.Data, $"Opening '{Name}' failed: {actual}, expected {expected}; {remedy}.");
}
