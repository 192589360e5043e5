using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>
/// The files of a data set that is stored in pieces: <c>DIR/SPLIT/*.EXT</c>, or <c>DIR/*.EXT</c> whose name says the split, as in
/// <c>train-00000-of-00005.parquet</c> and <c>imagenet-train-000000.tar</c>. <see cref="SplitNames"/> has other words for the splits.
/// </summary>
internal sealed class ShardFiles
{
    private readonly Dictionary<string, string[]> _files;

    private readonly Dictionary<string, string[]> _words; // what names the split

    private ShardFiles(
        string folder,
        Dictionary<string, string[]> files,
        Dictionary<string, string[]> words,
        string[] nameless
    ) => (Folder, _files, _words, Nameless) = (folder, files, words, nameless);

    /// <summary>Where they were looked for.</summary>
    public string Folder { get; }

    /// <summary>The splits that have files.</summary>
    public IReadOnlyCollection<string> Stored => [.. SplitNames.Stored.Where(_files.ContainsKey)];

    /// <summary>Files whose names say no split.</summary>
    public IReadOnlyList<string> Nameless { get; }

    /// <summary>The files of a split, sorted by ordinal comparison, so that every machine numbers their samples alike.</summary>
    /// <exception cref="DeitException">Their names, or those of their folders, say the split in two ways.</exception>
    public IReadOnlyList<string> Of(string split) =>
        _words[split] is { Length: > 1 } words
            ? throw SplitNames.Twice(Folder, split, words[0], words[1])
            : _files[split];

    /// <summary>Looks into a folder.</summary>
    /// <param name="folder">DIR.</param>
    /// <param name="extensions">The ends of the files' names, with the dot.</param>
    /// <exception cref="DeitException">It cannot be read.</exception>
    public static ShardFiles Find(string folder, params string[] extensions) =>
        DatasetRules.Reading(
            folder,
            () =>
            {
                List<(string? Split, string Word, string File)> found = [];
                foreach (string file in Files(folder, extensions))
                {
                    (string Split, string Word)? named = SplitNames.InFile(Path.GetFileName(file));
                    found.Add((named?.Split, named?.Word ?? "", file));
                }
                if (Directory.Exists(folder))
                    foreach (string child in Directory.EnumerateDirectories(folder))
                        // A folder is a split only by its whole name: "train-old" is not one.
                        if (Path.GetFileName(child) is var word && SplitNames.Of(word) is { } split)
                            found.AddRange(Files(child, extensions).Select(file => ((string?)split, word, file)));
                return new ShardFiles(
                    folder,
                    Sorted(found.Where(one => one.Split is not null).Select(one => (one.Split!, one.File))),
                    Sorted(found.Where(one => one.Split is not null).Select(one => (one.Split!, one.Word)).Distinct()),
                    [.. found.Where(one => one.Split is null).Select(one => one.File).Order(StringComparer.Ordinal)]
                );
            }
        );

    private static Dictionary<string, string[]> Sorted(IEnumerable<(string Split, string Text)> pairs) =>
        pairs
            .GroupBy(pair => pair.Split, pair => pair.Text, StringComparer.Ordinal)
            .ToDictionary(
                group => group.Key,
                group => group.Order(StringComparer.Ordinal).ToArray(),
                StringComparer.Ordinal
            );

    /// <summary>The error where no name says the split.</summary>
    public DeitException NoSplit(string example) =>
        new(
            DeitErrorKind.Data,
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
}
