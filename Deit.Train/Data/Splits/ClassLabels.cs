using System.Globalization;
using Deit.Train.Data.Names;

namespace Deit.Train.Data.Splits;

/// <summary>
/// The labels of the classes of data, which are indices into the classes of training or of a model. Names are compared in
/// one Unicode form. A label that several classes of a model have names none of them: the number of a class does. Where
/// a model's classes have no names at all, those of the data are taken in their order.
/// </summary>
internal sealed class ClassLabels
{
    private readonly IReadOnlyList<string> _known;
    private readonly ILookup<string, int> _ofName;
    private readonly Dictionary<string, int> _ofData = new(StringComparer.Ordinal);

    private ClassLabels(IReadOnlyList<string> known)
    {
        _known = known;
        _ofName = known
            .Index()
            .ToLookup(pair => CanonicalForm.Of(pair.Item), pair => pair.Index, StringComparer.Ordinal);
    }

    /// <summary>What the user should know about how the classes were matched; empty where the names say it.</summary>
    public IReadOnlyList<string> Notices { get; private set; } = [];

    /// <summary>Whether a model's classes have no names: they are called by their numbers, as "7" or "LABEL_7".</summary>
    public static bool AreNumbers(IReadOnlyList<string> labels) =>
        IsEach(labels, number => number) || IsEach(labels, number => $"LABEL_{number}");

    /// <summary>Whether two lists name the same classes in the same order.</summary>
    public static bool AreSame(IReadOnlyList<string> first, IReadOnlyList<string> second) =>
        first.Select(CanonicalForm.Of).SequenceEqual(second.Select(CanonicalForm.Of), StringComparer.Ordinal);

    /// <summary>Finds the label of each class.</summary>
    /// <param name="root">The name of the opened data in errors.</param>
    /// <param name="used">The classes of its pictures.</param>
    /// <param name="all">All classes of the data in their order, also those without pictures here.</param>
    /// <param name="known">The classes of the model or of training.</param>
    /// <param name="ofModel">Whether the known classes are those of a model.</param>
    /// <param name="remedy">The remedy for one unknown class and for several.</param>
    /// <exception cref="DeitException">There are unknown ones, or one fits several labels.</exception>
    public static ClassLabels Match(
        string root,
        IReadOnlyCollection<string> used,
        IReadOnlyList<string> all,
        IReadOnlyList<string> known,
        bool ofModel,
        (string One, string Several) remedy
    )
    {
        ClassLabels labels = new(known);
        string[] unknown = [.. used.Where(name => !labels.Add(root, name))];
        if (unknown.Length == 0)
            return labels;
        if (ofModel && AreNumbers(known))
            return labels.InOrder(root, used, all);
        throw new DeitException(
            DeitErrorKind.Data,
            $"Opening '{root}' failed: {(ofModel ? "the model" : "training")} does not have "
                + $"its {DatasetRules.Classes(unknown)}; {(unknown.Length == 1 ? remedy.One : remedy.Several)}."
        );
    }

    /// <summary>The label of a class; -1 of one without pictures.</summary>
    public int Of(string name) => _ofData.GetValueOrDefault(name, -1);

    private bool Add(string root, string name)
    {
        int[] fitting = [.. _ofName[CanonicalForm.Of(name)]];
        // Of names in two Unicode forms, which a model may have, the one that is spelt alike is meant.
        if (fitting.Length > 1 && fitting.Where(label => _known[label] == name).ToArray() is { Length: 1 } exact)
            fitting = exact;
        if (fitting.Length > 1)
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening '{root}' failed: the model calls its classes {string.Join(" and ", fitting)} all '{name}', "
                    + "expected one class of that name; "
                    + $"call the class of the data by its number, '{fitting[0]}' or '{fitting[^1]}'."
            );
        int label = fitting.Length == 1 ? fitting[0] : OfNumber(name);
        return label >= 0 && _ofData.TryAdd(name, label);
    }

    // A number names a class whose own name is not its alone.
    private int OfNumber(string name) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
        && number < _known.Count
        && _ofName[CanonicalForm.Of(_known[number])].Count() > 1
            ? number
            : -1;

    private ClassLabels InOrder(string root, IReadOnlyCollection<string> used, IReadOnlyList<string> all)
    {
        const string Remedy =
            "give the model's classes names with deit convert IN OUT --labels FILE, a name on each line";
        _ofData.Clear();
        if (Numbers(all) is { } numbers)
        {
            foreach ((int number, string name) in numbers.Zip(all))
                _ofData[name] = number;
            if (used.FirstOrDefault(name => Of(name) >= _known.Count) is { } beyond)
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"Opening '{root}' failed: its class '{beyond}' is a number, and the model has the classes "
                        + $"0 to {_known.Count - 1} without names; rename or remove it, or {Remedy}."
                );
            Notices = [$"the model's classes have no names: those of '{root}' are taken for their numbers"];
            return this;
        }
        if (all.Count != _known.Count)
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening '{root}' failed: the {_known.Count} classes of the model have no names, and the data has "
                    + $"{all.Count} classes, such as '{all[0]}'; {Remedy}."
            );
        foreach ((int label, string name) in all.Index())
            _ofData[name] = label;
        Notices =
        [
            $"the model's {_known.Count} classes have no names: those of '{root}' are taken in their order, "
                + $"'{all[0]}' for class 0; to be sure, {Remedy}",
        ];
        return this;
    }

    // Folders called 000 to 999 are numbers too. Null where a name is none, or two are the same.
    private static int[]? Numbers(IReadOnlyList<string> names)
    {
        int[] numbers =
        [
            .. names.Select(name =>
                int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1
            ),
        ];
        return numbers.Contains(-1) || numbers.Distinct().Count() < numbers.Length ? null : numbers;
    }

    private static bool IsEach(IReadOnlyList<string> labels, Func<string, string> name)
    {
        for (int i = 0; i < labels.Count; i++)
            if (labels[i] != name(i.ToString(CultureInfo.InvariantCulture)))
                return false;
        return labels.Count > 0;
    }
}
