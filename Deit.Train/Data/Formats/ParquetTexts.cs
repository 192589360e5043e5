using Deit.Train.Data.Names;
using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>The labels of a Parquet file that are the names of classes, and their numbers among those of all
/// files.</summary>
internal sealed class ParquetTexts
{
    private readonly Dictionary<string, int> _numberOf = new(StringComparer.Ordinal);
    private readonly List<string> _all = [];

    /// <summary>The texts so far, each once.</summary>
    public IReadOnlyList<string> All => _all;

    /// <summary>The number of a row's text.</summary>
    public long? Number(ReadOnlyMemory<char> label)
    {
        string text = label.ToString().Trim();
        if (!_numberOf.TryGetValue(text, out int number))
        {
            _numberOf.Add(text, number = _all.Count);
            _all.Add(text);
        }
        return number;
    }

    /// <summary>The classes of several files: those that the metadata names, or else all texts, sorted by ordinal
    /// comparison. Texts that differ in their Unicode form alone are one class.</summary>
    public static IReadOnlyList<string> Classes(IEnumerable<ParquetImageFile> files) =>
        [
            .. files
                .SelectMany(file => file.Texts!)
                .DistinctBy(CanonicalForm.Of, StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>The label of each of a file's texts.</summary>
    /// <param name="file">The file.</param>
    /// <param name="names">The classes.</param>
    /// <exception cref="DeitException">The classes lack one, or the file's labels are numbers.</exception>
    public static int[] Labels(ParquetImageFile file, IReadOnlyList<string> names)
    {
        Dictionary<string, int> labelOf = DatasetRules.LabelOf([.. names.Select(CanonicalForm.Of)]);
        return
        [
            .. file.Texts!.Select(text =>
                labelOf.TryGetValue(CanonicalForm.Of(text), out int label)
                    ? label
                    : throw new DeitException(
                        DeitErrorKind.Data,
                        $"Opening '{file.Path}' failed: the metadata does not have the class '{text}' among its "
                            + $"{names.Count}; correct the label or write the file anew."
                    )
            ),
        ];
    }
}
