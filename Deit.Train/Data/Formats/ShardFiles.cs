using Deit.Model;
using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>
/// The files of a data set that is stored in pieces: <c>DIR/SPLIT/*.EXT</c>, or <c>DIR/*.EXT</c> whose name says the split, as in
/// <c>train-00000-of-00005.parquet</c> and <c>imagenet-train-000000.tar</c>. "validation" and "valid" are "val".
/// </summary>
internal sealed class ShardFiles
{
    private static readonly string[] Splits = [DatasetRules.Train, DatasetRules.Val, DatasetRules.Test];
    private readonly Dictionary<string, string[]> _files;

    private ShardFiles(string folder, Dictionary<string, string[]> files, string[] nameless) =>
        (Folder, _files, Nameless) = (folder, files, nameless);

    /// <summary>Where they were looked for.</summary>
    public string Folder { get; }

    /// <summary>The splits that have files.</summary>
    public IReadOnlyCollection<string> Stored => [.. Splits.Where(_files.ContainsKey)];

    /// <summary>Files whose names say no split.</summary>
    public IReadOnlyList<string> Nameless { get; }

    /// <summary>The files of a split, sorted by ordinal comparison, so that every machine numbers their samples alike.</summary>
    public IReadOnlyList<string> Of(string split) => _files[split];

    /// <summary>Looks into a folder.</summary>
    /// <param name="folder">DIR.</param>
    /// <param name="extensions">The ends of the files' names, with the dot.</param>
    /// <exception cref="DeitException">It cannot be read.</exception>
    public static ShardFiles Find(string folder, params string[] extensions) =>
        DatasetRules.Reading(
            folder,
            () =>
            {
                List<(string? Split, string File)> found =
                [
                    .. Files(folder, extensions).Select(file => (SplitOf(Path.GetFileName(file)), file)),
                ];
                if (Directory.Exists(folder))
                    foreach (string child in Directory.EnumerateDirectories(folder))
                        // A folder is a split only by its whole name: "train-old" is not one.
                        if (Split(Path.GetFileName(child)) is { } split)
                            found.AddRange(Files(child, extensions).Select(file => ((string?)split, file)));
                Dictionary<string, string[]> files = found
                    .Where(one => one.Split is not null)
                    .GroupBy(one => one.Split!, one => one.File)
                    .ToDictionary(
                        group => group.Key,
                        group => group.Order(StringComparer.Ordinal).ToArray(),
                        StringComparer.Ordinal
                    );
                return new ShardFiles(
                    folder,
                    files,
                    [.. found.Where(one => one.Split is null).Select(one => one.File).Order(StringComparer.Ordinal)]
                );
            }
        );

    /// <summary>The error where no name says the split.</summary>
    public DeitException NoSplit(string example) =>
        new(
            $"Opening '{Folder}' failed: the name of '{Path.GetFileName(Nameless[0])}' says no split, "
                + $"expected 'train', 'val' or 'test' in it; rename it as in '{example}'."
        );

    private static IEnumerable<string> Files(string folder, string[] extensions) =>
        !Directory.Exists(folder)
            ? []
            : Directory
                .EnumerateFiles(folder)
                .Where(file =>
                    Path.GetFileName(file)[0] != '.'
                    && extensions.Any(extension => file.EndsWith(extension, StringComparison.OrdinalIgnoreCase))
                );

    private static string? SplitOf(string file) =>
        file.Split('-', '_', '.').Select(Split).FirstOrDefault(split => split is not null);

    private static string? Split(string word) =>
        word switch
        {
            "train" => DatasetRules.Train,
            "val" or "valid" or "validation" => DatasetRules.Val,
            "test" => DatasetRules.Test,
            _ => null,
        };
}
