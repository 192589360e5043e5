using System.Diagnostics;
using Deit.Model.Images;
using Deit.Model.Text;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;
using Deit.Train.Reporting;

namespace Deit.Train.Data.Inspection;

/// <summary>
/// What can be said of data in a moment, before a training: the balance of its classes, empty files, and pictures of
/// validation that are files of training byte for byte. No picture is decoded.
/// </summary>
internal sealed class QuickLook
{
    private const int AtOnce = 64; // files between two looks at the clock

    private readonly string? _data;
    private readonly IImageSplit _training,
        _validation;

    /// <summary>Prepares a look.</summary>
    /// <param name="data">The folder of the data, in the hint; null for no hint.</param>
    /// <param name="training">The pictures to learn from.</param>
    /// <param name="validation">The pictures to evaluate with.</param>
    public QuickLook(string? data, IImageSplit training, IImageSplit validation) =>
        (_data, _training, _validation) = (data, training, validation);

    /// <summary>The time for the lengths of files, and as much again for reading files of equal length.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(0.8);

    /// <summary>The most bytes that are read.</summary>
    public long MostBytes { get; init; } = 256 << 20;

    /// <summary>Up to three sentences, without a point at their ends; none where there is nothing to say.</summary>
    public IReadOnlyList<string> Sentences()
    {
        string[] found = [.. ((IEnumerable<string?>)[Balance(), .. Files()]).OfType<string>()];
        if (found.Length > 0 && _data is not null)
            found[^1] += $"; more about it: deit check {ShellWord.Quoted(_data)}";
        return found;
    }

    private string? Balance()
    {
        int[] training = Counts(_training),
            validation = Counts(_validation);
        string[] names = [.. _training.ClassNames];
        int[] filled = [.. Enumerable.Range(0, names.Length).Where(label => training[label] > 0)];
        if (filled.Length == 0)
            return null;
        int least = filled.MinBy(label => training[label]),
            most = filled.MaxBy(label => training[label]);
        string[] never = [.. names.Where((_, label) => training[label] == 0)],
            unmeasured = [.. names.Where((_, label) => training[label] > 0 && validation[label] == 0)];
        List<string> parts = [];
        if (training[most] >= (long)ClassFindings.Imbalance * training[least])
            parts.Add(
                $"the classes have {training[least]} ('{names[least]}') to {training[most]} ('{names[most]}') training images"
            );
        if (never.Length > 0)
            parts.Add($"no training images: {DatasetRules.Classes(never)}");
        if (unmeasured.Length > 0)
            parts.Add($"no validation images: {DatasetRules.Classes(unmeasured)}");
        return parts.Count > 0 ? string.Join("; ", parts) : null;
    }

    private static int[] Counts(IImageSplit images)
    {
        int[] counts = new int[images.ClassNames.Count];
        for (int i = 0; i < images.Count; i++)
            counts[images.Label(i)]++;
        return counts;
    }

    private IEnumerable<string> Files()
    {
        long start = Stopwatch.GetTimestamp();
        int looked = 0,
            empty = 0;
        bool late = false;
        ILookup<long, int> validation = Lengths(_validation).ToLookup(file => file.Length, file => file.Index);
        Dictionary<long, List<int>> training = [];
        foreach ((int index, long length) in Lengths(_training))
            if (validation.Contains(length))
            {
                if (!training.TryGetValue(length, out List<int>? same))
                    training[length] = same = [];
                same.Add(index);
            }
        if (empty > 0)
            yield return $"{Plural.Of(empty, "file")} {Plural.Choose(empty, "is", "are")} empty and no image";

        (string[] copies, bool all) = Copies(validation, training);
        if (copies.Length > 0)
            yield return $"{Plural.Of(copies.Length, "validation image")} "
                + $"{Plural.Choose(copies.Length, "is a training image", "are training images")} too, byte for byte, "
                + $"so that the accuracy is too good: {DatasetRules.Some(copies)}";
        if (late)
            yield return $"copies were looked for among {looked} of {_validation.Count + _training.Count} files";
        else if (!all)
            yield return "copies were looked for in a part of the files alone";

        IEnumerable<(int Index, long Length)> Lengths(IImageSplit images)
        {
            for (int i = 0; i < images.Count; i++)
            {
                if (i % AtOnce == 0 && (late |= Stopwatch.GetElapsedTime(start) > Patience))
                    yield break;
                if (images.EncodedLength(i) is not { } length)
                    continue; // of a format without lengths, or a file that is away
                looked++;
                if (length == 0)
                    empty++;
                else
                    yield return (i, length);
            }
        }
    }

    // The files of equal length, those of small ones first: the more of them are read in the time.
    private (string[] Names, bool All) Copies(ILookup<long, int> validation, Dictionary<long, List<int>> training)
    {
        long start = Stopwatch.GetTimestamp(),
            bytes = 0;
        List<int> copies = [];
        foreach ((long length, List<int> same) in training.OrderBy(pair => pair.Key))
        {
            Dictionary<UInt128, int> first = [];
            foreach ((IImageSplit images, int index, bool learned) in Both(length, same))
            {
                bytes += length;
                if (bytes > MostBytes || Stopwatch.GetElapsedTime(start) > Patience)
                    return (Names(copies), false);
                if (HashOf(images, index) is not { } hash)
                    continue;
                if (learned)
                    first.TryAdd(hash, index);
                else if (first.ContainsKey(hash))
                    copies.Add(index);
            }
        }
        return (Names(copies), true);

        IEnumerable<(IImageSplit, int, bool)> Both(long length, List<int> same) =>
            [
                .. same.Select(index => (_training, index, true)),
                .. validation[length].Select(index => (_validation, index, false)),
            ];
    }

    private string[] Names(List<int> copies) => [.. copies.Select(_validation.Name)];

    private static UInt128? HashOf(IImageSplit images, int index)
    {
        try
        {
            return images.Encoded(index) is { } encoded ? PictureReader.Hash(encoded) : null;
        }
        catch (ImageException)
        {
            return null; // training says it when it reads the picture
        }
    }
}
