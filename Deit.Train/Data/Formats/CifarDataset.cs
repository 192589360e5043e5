using Deit.Model.Images;
using Deit.Train.Data.Splits;
using Microsoft.Win32.SafeHandles;

namespace Deit.Train.Data.Formats;

/// <summary>
/// CIFAR-10 and CIFAR-100 in their binary versions (<c>cifar-10-batches-bin</c>, <c>cifar-100-binary</c>). A record is
/// one label byte, or a coarse and a fine one, and 32 x 32 pixels as planes of red, green and blue. Of two labels the
/// fine one counts.
/// </summary>
/// <remarks>
/// The splits are "train" and "test". "val" is a share of the training pictures. Without a share to hold out, it is the
/// test split, on which the reference evaluates after every epoch. The best epoch is then chosen by the same pictures
/// that it is judged by.
/// </remarks>
internal sealed class CifarDataset : IImageSplit
{
    private const int Side = 32,
        Plane = Side * Side,
        PixelBytes = 3 * Plane;

    /// <summary>The format. The folder of its files, and most of them, have names of their own.</summary>
    public static DatasetFormat Format { get; } =
        new("files of CIFAR", IsIn, (folder, split, options) => Open(folder, split, options)) { Unmistakable = true };

    private static readonly Version[] Versions =
    [
        new(
            "CIFAR-10",
            "cifar-10-batches-bin",
            "batches.meta.txt",
            [.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}.bin")],
            "test_batch.bin",
            LabelBytes: 1
        ),
        new("CIFAR-100", "cifar-100-binary", "fine_label_names.txt", ["train.bin"], "test.bin", LabelBytes: 2),
    ];

    private readonly SampleIndex _samples;
    private readonly string[] _files;
    private readonly int[] _firstOfFile; // the stored number of each file's first record
    private readonly int _labelBytes;

    private CifarDataset(SampleIndex samples, string[] files, int[] firstOfFile, int labelBytes) =>
        (_samples, _files, _firstOfFile, _labelBytes) = (samples, files, firstOfFile, labelBytes);

    /// <inheritdoc/>
    public int Count => _samples.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => _samples.ClassNames;

    /// <inheritdoc/>
    public IReadOnlyList<string> Notices => _samples.Notices;

    /// <inheritdoc/>
    public int? SharedOf => _samples.SharedOf;

    /// <summary>Whether a folder, or a folder of CIFAR's own name in it, holds CIFAR.</summary>
    public static bool IsIn(string folder) => Find(folder).Count > 0;

    /// <summary>Reads the labels, not the pictures, of a split.</summary>
    /// <param name="folder">The folder of the files, or its parent.</param>
    /// <param name="split">"train", "val" or "test".</param>
    /// <param name="options">How to read it.</param>
    /// <exception cref="DeitException">
    /// There is no such folder or split, a file is missing or damaged, or the model does not have a class.
    /// </exception>
    public static CifarDataset Open(string folder, string split, DatasetOptions? options = null)
    {
        options ??= new DatasetOptions();
        (Version version, string root) = FindOne(folder);
        string[] stored =
        [
            .. new[] { DatasetRules.Train, DatasetRules.Test }.Where(name =>
                version.Files(name).Any(file => File.Exists(Path.Combine(root, file)))
            ),
        ];
        if (
            split == DatasetRules.Val
            && options is { ValFraction: 0, StoredSplits: false }
            && stored.Contains(DatasetRules.Test)
        )
            split = DatasetRules.Test;
        SplitPlan plan = SplitPlan.Choose(
            root,
            stored,
            split,
            options,
            missing => DatasetRules.Quote(version.Files(missing == DatasetRules.Val ? DatasetRules.Train : missing))
        );

        string namesFile = Path.Combine(root, version.NamesFile);
        if (!File.Exists(namesFile))
            throw Missing(root, version.NamesFile, version);
        IReadOnlyList<string> names = SampleIndex.ReadNames(namesFile);
        string[] files = version.Files(plan.Source);
        List<int> labels = [];
        List<int> firstOfFile = [];
        foreach (string file in files)
        {
            string path = Path.Combine(root, file);
            if (!File.Exists(path))
                throw Missing(root, file, version);
            firstOfFile.Add(labels.Count);
            labels.AddRange(DatasetRules.Reading(path, () => ReadLabels(path, version.LabelBytes, names.Count)));
        }
        SampleIndex samples = SampleIndex.Create(root, plan, options, [.. labels], names, trainingNames: null, Key);
        return new CifarDataset(
            samples,
            [.. files.Select(file => Path.Combine(root, file))],
            [.. firstOfFile],
            version.LabelBytes
        );

        string Key(int sample)
        {
            (int file, int record) = Place(firstOfFile, sample);
            return $"{files[file]}#{record}";
        }
    }

    /// <inheritdoc/>
    public int Label(int index) => _samples.Label(index);

    /// <inheritdoc/>
    public string Name(int index)
    {
        (int file, int record) = Place(_firstOfFile, _samples.Stored(index));
        return $"{_files[file]}#{record}";
    }

    /// <inheritdoc/>
    public RgbImage Load(int index, ImagePart? part = null)
    {
        (int file, int record) = Place(_firstOfFile, _samples.Stored(index));
        Span<byte> planes = stackalloc byte[PixelBytes];
        try
        {
            using SafeFileHandle handle = File.OpenHandle(_files[file], options: FileOptions.RandomAccess);
            if (
                RandomAccess.Read(handle, planes, ((long)record * (_labelBytes + PixelBytes)) + _labelBytes)
                != PixelBytes
            )
                throw new ImageException(
                    $"Reading the image '{Name(index)}' failed: the file has become shorter since it was opened; "
                        + "start anew when nothing writes to it."
                );
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(
                $"Reading the image '{Name(index)}' failed: {error.Message.TrimEnd('.')}; check that the file can be read.",
                error
            );
        }
        byte[] pixels = new byte[PixelBytes];
        for (int i = 0; i < Plane; i++)
        for (int channel = 0; channel < 3; channel++)
            pixels[(3 * i) + channel] = planes[(channel * Plane) + i];
        return new RgbImage(Side, Side, pixels);
    }

    private static (int File, int Record) Place(IReadOnlyList<int> firstOfFile, int sample)
    {
        int file = firstOfFile.Count - 1;
        while (firstOfFile[file] > sample)
            file--;
        return (file, sample - firstOfFile[file]);
    }

    private static int[] ReadLabels(string path, int labelBytes, int classes)
    {
        const int RecordsAtOnce = 256;
        int recordBytes = labelBytes + PixelBytes;
        using FileStream stream = new(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.Read,
            bufferSize: 0,
            FileOptions.SequentialScan
        );
        if (stream.Length == 0 || stream.Length % recordBytes != 0 || stream.Length / recordBytes > int.MaxValue)
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening '{path}' failed: it has {stream.Length} bytes, "
                    + $"expected a whole number of records of {recordBytes}; download it anew."
            );
        int[] labels = new int[stream.Length / recordBytes];
        byte[] records = new byte[Math.Min(labels.Length, RecordsAtOnce) * recordBytes];
        for (int first = 0; first < labels.Length; first += RecordsAtOnce)
        {
            int count = Math.Min(RecordsAtOnce, labels.Length - first);
            stream.ReadExactly(records, 0, count * recordBytes);
            for (int i = 0; i < count; i++)
                labels[first + i] = SampleIndex.RequireLabel(
                    records[(i * recordBytes) + labelBytes - 1],
                    classes,
                    $"'{path}', record {first + i},"
                );
        }
        return labels;
    }

    private static (Version Version, string Folder) FindOne(string folder)
    {
        List<(Version Version, string Folder)> found = Find(folder);
        if (found.Count != 1)
            throw found.Count == 0
                ? new DeitException(
                    DeitErrorKind.Data,
                    $"Opening '{folder}' as CIFAR failed: neither it nor a folder in it has the binary version's "
                        + $"files; name the folder of '{Versions[0].TrainFiles[0]}' or '{Versions[1].TrainFiles[0]}'."
                )
                : new DeitException(
                    DeitErrorKind.Data,
                    $"Opening '{folder}' failed: it holds "
                        + $"{string.Join(" and ", found.Select(one => one.Version.Name))}, expected one of them; "
                        + $"name {string.Join(" or ", found.Select(one => $"'{one.Folder}'"))}."
                );
        return found[0];
    }

    private static List<(Version Version, string Folder)> Find(string folder)
    {
        List<(Version, string)> found = [];
        foreach (Version version in Versions)
        foreach (string candidate in new[] { folder, Path.Combine(folder, version.Folder) })
            // "train.bin" alone may be any file; beside the file of class names it is CIFAR's.
            if (
                version.AllFiles.Any(file => File.Exists(Path.Combine(candidate, file)))
                && (
                    version.LabelBytes == 1
                    || Path.GetFileName(Path.TrimEndingDirectorySeparator(candidate)) == version.Folder
                    || File.Exists(Path.Combine(candidate, version.NamesFile))
                )
            )
                found.Add((version, candidate));
        return found;
    }

    private static DeitException Missing(string root, string file, Version version) =>
        new(
            DeitErrorKind.Data,
            $"Opening '{root}' failed: '{file}' of {version.Name} is missing; download the binary version anew."
        );

    private sealed record Version(
        string Name,
        string Folder,
        string NamesFile,
        string[] TrainFiles,
        string TestFile,
        int LabelBytes
    )
    {
        public IEnumerable<string> AllFiles => [.. TrainFiles, TestFile];

        public string[] Files(string split) => split == DatasetRules.Train ? TrainFiles : [TestFile];
    }
}
