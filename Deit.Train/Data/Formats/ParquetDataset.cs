using Deit.Model.Images;
using Deit.Model.Text;
using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>
/// Parquet files as the Hugging Face Hub lays them out: <c>DIR/data/train-00000-of-00005.parquet</c>, or in DIR itself.
/// The images are a column <c>image</c> or <c>img</c>, or the only binary one: encoded images, or structs with their
/// <c>bytes</c>. The labels are a column <c>label</c>, <c>labels</c> or <c>fine_label</c> of numbers or
/// names. Names of numbered classes are in the metadata "huggingface"; without them the names are the numbers.
/// </summary>
/// <remarks>
/// Opening reads the labels. A picture is loaded with its row group, the smallest part that can be read of Parquet's
/// pages. The groups used last are kept, up to <see cref="CacheBytes"/> of encoded images, or one group where that has
/// more. Each thread that reads a group takes about twice the group's bytes for that time. Pictures in random order
/// need their groups again and again. Where a split does not fit the cache, row groups of about 100 pictures, as the
/// Hub writes them, are read fast, and those of many thousands are not.
/// </remarks>
internal sealed class ParquetDataset : IImageSplit
{
    /// <summary>The format.</summary>
    public static DatasetFormat Format { get; } =
        new("Parquet files", IsIn, (folder, split, options) => Open(folder, split, options));

    /// <summary>The most bytes of encoded images that are kept: 256 MiB.</summary>
    public const long CacheBytes = 256L << 20;

    private readonly SampleIndex _index;
    private readonly Rows _rows;
    private readonly RowGroupCache _cache;

    private ParquetDataset(SampleIndex index, Rows rows, long cacheBytes)
    {
        (_index, _rows) = (index, rows);
        _cache = new RowGroupCache(
            cacheBytes,
            group => rows.Files[rows.Groups[group].File].ReadImages(rows.Groups[group].Group)
        );
    }

    /// <inheritdoc/>
    public int Count => _index.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => _index.ClassNames;

    /// <inheritdoc/>
    public IReadOnlyList<string> Notices => _index.Notices;

    /// <inheritdoc/>
    public int? SharedOf => _index.SharedOf;

    /// <summary>Whether a folder has Parquet files where they are looked for.</summary>
    /// <exception cref="DeitException">It cannot be read.</exception>
    public static bool IsIn(string folder) =>
        Find(folder) is { } files && files.Stored.Count + files.Nameless.Count > 0;

    /// <summary>Reads the labels, not the pictures, of a split.</summary>
    /// <param name="folder">DIR.</param>
    /// <param name="split">"train", "val" or "test".</param>
    /// <param name="options">How to read it.</param>
    /// <exception cref="DeitException">
    /// There is no such split; a file is no Parquet file or lacks a column; a label is none; or a class that training or the
    /// model does not have.
    /// </exception>
    public static ParquetDataset Open(string folder, string split, DatasetOptions? options = null) =>
        Open(folder, split, options, CacheBytes);

    /// <summary>As <see cref="Open(string, string, DatasetOptions?)"/>, with another limit (for tests).</summary>
    internal static ParquetDataset Open(string folder, string split, DatasetOptions? options, long cacheBytes)
    {
        options ??= new DatasetOptions();
        ShardFiles files = Find(folder);
        if (files.Stored.Count == 0)
            throw files.Nameless.Count > 0
                ? files.NoSplit("train-00000-of-00001.parquet")
                : new DeitException(
                    DeitErrorKind.Data,
                    $"Opening '{folder}' failed: it has no Parquet files; expected them as in "
                        + $"'{Path.Combine(folder, "data", "train-00000-of-00001.parquet")}'."
                );
        SplitPlan plan = SplitPlan.Choose(
            folder,
            files.Stored,
            split,
            options,
            missing => $"files such as '{missing}-00000-of-00001.parquet'"
        );
        Rows rows = Rows.Read(files.Of(plan.Source));
        Func<IReadOnlyList<string>>? trainingNames =
            plan.Source != DatasetRules.Train && files.Stored.Contains(DatasetRules.Train)
                ? () => TrainingNames(files.Of(DatasetRules.Train))
                : null;
        SampleIndex index = SampleIndex.Create(
            folder,
            plan,
            options,
            rows.Labels,
            rows.Names,
            trainingNames,
            row => rows.Name(row, files.Folder)
        );
        return new ParquetDataset(index, rows, cacheBytes);
    }

    /// <summary>Bytes of encoded images that are kept now.</summary>
    internal long CachedBytes => _cache.Bytes;

    /// <inheritdoc/>
    public int Label(int index) => _index.Label(index);

    /// <inheritdoc/>
    public string Name(int index) => _rows.Name(_index.Stored(index));

    /// <inheritdoc/>
    public RgbImage Load(int index, ImagePart? part = null) =>
        ImageDecoder.Decode(Encoded(index), Name(index), part: part);

    /// <inheritdoc/>
    public byte[] Encoded(int index)
    {
        int row = _index.Stored(index),
            group = _rows.GroupOf(row);
        return _cache.Get(group)[row - _rows.Groups[group].FirstRow]
            ?? throw new ImageException(
                $"Reading the image '{Name(index)}' failed: its bytes are null, expected an encoded image; "
                    + "embed the images in the file instead of their paths."
            );
    }

    // The Hub's folder "data" goes first: beside it lie the files of other configurations.
    private static ShardFiles Find(string folder)
    {
        ShardFiles data = ShardFiles.Find(Path.Combine(folder, "data"), ".parquet");
        return data.Stored.Count > 0 ? data : ShardFiles.Find(folder, ".parquet");
    }

    // Every file of a data set carries the names; without them the greatest label says how many there are.
    private static IReadOnlyList<string> TrainingNames(IReadOnlyList<string> files) =>
        ParquetImageFile.Open(files[0]).Names ?? Rows.Read(files).Names;

    /// <summary>A row group among those of all files.</summary>
    private readonly record struct RowGroup(int File, int Group, int FirstRow, int FirstOfFile);

    /// <summary>The rows of all files of a split.</summary>
    private sealed record Rows(ParquetImageFile[] Files, RowGroup[] Groups, int[] Labels, IReadOnlyList<string> Names)
    {
        public static Rows Read(IReadOnlyList<string> paths)
        {
            ParquetImageFile[] files = [.. paths.Select(ParquetImageFile.Open)];
            IReadOnlyList<string>? names = files.FirstOrDefault(file => file.Names is not null)?.Names;
            bool texts = files[0].Texts is not null;
            if (files.FirstOrDefault(file => file.Texts is not null != texts) is { } odd)
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"Opening '{odd.Path}' failed: its labels are {(texts ? "numbers" : "texts")}, those of "
                        + $"'{files[0].Path}' {(texts ? "texts" : "numbers")}; download the files of one version."
                );
            if (texts)
                names ??= ParquetTexts.Classes(files);
            List<RowGroup> groups = [];
            List<int> labels = [];
            for (int number = 0; number < files.Length; number++)
            {
                ParquetImageFile file = files[number];
                if (file.Names is not null && !file.Names.SequenceEqual(names!))
                    throw new DeitException(
                        DeitErrorKind.Data,
                        $"Opening '{file.Path}' failed: its classes have other names than those of the files before "
                            + "it; download the files of one version."
                    );
                int firstOfFile = labels.Count,
                    first = firstOfFile;
                for (int group = 0; group < file.GroupRows.Count; first += file.GroupRows[group++])
                    if (file.GroupRows[group] > 0)
                        groups.Add(new RowGroup(number, group, first, firstOfFile));
                labels.AddRange(LabelsOf(file, names));
            }
            if (labels.Count == 0)
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"Opening '{paths[0]}' failed: it has no rows; download it anew."
                );
            Rows rows = new(files, [.. groups], [.. labels], names ?? []);
            return names is null
                ? rows with
                {
                    Names = SampleIndex.Numbers(labels, row => RowOf(rows.Files, rows.Groups[rows.GroupOf(row)], row)),
                }
                : rows;
        }

        private static IEnumerable<int> LabelsOf(ParquetImageFile file, IReadOnlyList<string>? names)
        {
            int[]? ofText = file.Texts is null ? null : ParquetTexts.Labels(file, names!);
            for (int row = 0; row < file.Labels.Count; row++)
            {
                long label =
                    file.Labels[row]
                    ?? throw new DeitException(
                        DeitErrorKind.Data,
                        $"Opening '{file.Path}', row {row}, failed: its label is null, expected a number or a name; "
                            + "leave the row out."
                    );
                if (file.Texts?[(int)label] is { } text && (text.Length == 0 || text.Any(char.IsControl)))
                    throw new DeitException(
                        DeitErrorKind.Data,
                        $"Opening '{file.Path}', row {row}, failed: its label is '{Printable.Line(text)}', expected a class name on one "
                            + "line; correct it or leave the row out."
                    );
                yield return ofText is not null
                    ? ofText[label]
                    : SampleIndex.RequireLabel(label, names?.Count, $"'{file.Path}', row {row},");
            }
        }

        private static string RowOf(ParquetImageFile[] files, RowGroup group, int row) =>
            $"'{files[group.File].Path}', row {row - group.FirstOfFile},";

        public int GroupOf(int row)
        {
            int low = 0,
                high = Groups.Length - 1;
            while (low < high)
            {
                int middle = (low + high + 1) / 2;
                (low, high) = Groups[middle].FirstRow <= row ? (middle, high) : (low, middle - 1);
            }
            return low;
        }

        /// <summary>A row's name, in full or relative to a folder.</summary>
        public string Name(int row, string? folder = null)
        {
            RowGroup group = Groups[GroupOf(row)];
            string path = Files[group.File].Path;
            if (folder is not null)
                path = Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/');
            return $"{path}#{row - group.FirstOfFile}";
        }
    }
}
