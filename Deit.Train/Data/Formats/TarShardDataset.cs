using System.Buffers;
using Deit.Model.Images;
using Deit.Train.Data.Splits;
using Microsoft.Win32.SafeHandles;

namespace Deit.Train.Data.Formats;

/// <summary>
/// Tar shards in WebDataset's convention, <c>DIR/SPLIT/*.tar</c> or <c>DIR/*SPLIT-*.tar</c>, read where they are and
/// never unpacked. Files that share a path up to the first dot of their names are a sample. It has an image (jpg, jpeg,
/// png, webp) and a label: a number in <c>.cls</c>, an integer "label" in <c>.json</c>, or a class name in <c>.txt</c>.
/// Other files are passed over.
/// </summary>
/// <remarks>
/// <para>Class names are the lines of <c>classes.txt</c> or <c>classnames.txt</c> beside the shards or in DIR. Without
/// such a file they are the .txt labels, sorted by ordinal comparison. Without those they are the numbers.</para>
/// <para>Opening reads headers and labels and keeps each picture's place, which takes about 100 bytes and its name.
/// Loading reads that range of the shard. Order, shares and resumed runs are therefore the same as with a folder of
/// pictures.</para>
/// </remarks>
internal sealed class TarShardDataset : IImageSplit
{
    /// <summary>The format.</summary>
    public static DatasetFormat Format { get; } =
        new("tar shards", IsIn, (folder, split, options) => Open(folder, split, options));

    private static readonly string[] NamesFiles = ["classes.txt", "classnames.txt"];
    private static readonly string[] Compressed = [".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2", ".tar.lz4"];

    private readonly SampleIndex _index;
    private readonly IReadOnlyList<string> _shards;
    private readonly TarSample[] _samples;

    private TarShardDataset(SampleIndex index, IReadOnlyList<string> shards, TarSample[] samples) =>
        (_index, _shards, _samples) = (index, shards, samples);

    /// <inheritdoc/>
    public int Count => _index.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => _index.ClassNames;

    /// <inheritdoc/>
    public IReadOnlyList<string> Notices { get; private init; } = [];

    /// <inheritdoc/>
    public int? SharedOf => _index.SharedOf;

    /// <summary>Whether a folder has tar files where shards lie, compressed ones among them.</summary>
    /// <exception cref="DeitException">It cannot be read.</exception>
    public static bool IsIn(string folder) =>
        Find(folder) is { } shards && shards.Stored.Count + shards.Nameless.Count > 0;

    /// <summary>Reads headers and labels, not pictures, of a split.</summary>
    /// <param name="folder">DIR.</param>
    /// <param name="split">"train", "val" or "test".</param>
    /// <param name="options">How to read it.</param>
    /// <exception cref="DeitException">
    /// There is no such split; a shard is compressed, damaged, or has paths that lead out of it; a sample has no image
    /// or label, or comes twice; or the data has a class that training or the model does not have.
    /// </exception>
    public static TarShardDataset Open(string folder, string split, DatasetOptions? options = null)
    {
        options ??= new DatasetOptions();
        ShardFiles shards = Find(folder);
        if (shards.Stored.Count == 0)
            throw shards.Nameless.Count > 0
                ? shards.NoSplit("train-000000.tar")
                : new DeitException(
                    DeitErrorKind.Data,
                    $"Opening '{folder}' failed: it has no tar shards; expected them as in '{Path.Combine(folder, "train-000000.tar")}'."
                );
        SplitPlan plan = SplitPlan.Choose(
            folder,
            shards.Stored,
            split,
            options,
            missing => $"shards such as '{missing}-000000.tar'"
        );
        IReadOnlyList<string> files = shards.Of(plan.Source);
        RequireUncompressed(files);
        string? listed = NamesFile(folder, files);
        (TarSample[] samples, int[] labels, IReadOnlyList<string> names, string[] notices) = TarShardReader.Read(
            files,
            listed is null ? null : SampleIndex.ReadNames(listed)
        );
        SampleIndex index = SampleIndex.Create(
            folder,
            plan,
            options,
            labels,
            names,
            TrainingNames(folder, shards, plan, listed),
            sample => samples[sample].Key
        );
        return new TarShardDataset(index, files, samples) { Notices = [.. index.Notices, .. notices] };
    }

    /// <inheritdoc/>
    public int Label(int index) => _index.Label(index);

    /// <inheritdoc/>
    public string Name(int index)
    {
        TarSample sample = _samples[_index.Stored(index)];
        return $"{_shards[sample.Shard]}: {sample.Entry}";
    }

    /// <inheritdoc/>
    public RgbImage Load(int index, ImagePart? part = null)
    {
        TarSample sample = _samples[_index.Stored(index)];
        RequireLength(index);
        int length = (int)sample.Length;
        byte[] encoded = ArrayPool<byte>.Shared.Rent(Math.Max(length, 1));
        try
        {
            Read(index, encoded.AsSpan(0, length));
            return ImageDecoder.Decode(encoded.AsSpan(0, length), Name(index), part: part);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(encoded);
        }
    }

    /// <inheritdoc/>
    public byte[] Encoded(int index)
    {
        RequireLength(index);
        byte[] encoded = new byte[_samples[_index.Stored(index)].Length];
        Read(index, encoded);
        return encoded;
    }

    /// <inheritdoc/>
    public long? EncodedLength(int index) => _samples[_index.Stored(index)].Length;

    private void RequireLength(int index)
    {
        long length = _samples[_index.Stored(index)].Length;
        if (length > Array.MaxLength)
            throw new ImageException(
                $"Reading the image '{Name(index)}' was refused: it has {length >> 20} MiB, "
                    + "more than the 2 GiB an image may have; scale it down."
            );
    }

    // The file is opened for each picture. That costs little beside decoding, and nothing stays open that would count
    // against the limit of open files.
    private void Read(int index, Span<byte> encoded)
    {
        TarSample sample = _samples[_index.Stored(index)];
        try
        {
            using SafeFileHandle handle = File.OpenHandle(_shards[sample.Shard], options: FileOptions.RandomAccess);
            for (int done = 0, read; done < encoded.Length; done += read)
                if ((read = RandomAccess.Read(handle, encoded[done..], sample.Offset + done)) == 0)
                    throw new ImageException(
                        $"Reading the image '{Name(index)}' failed: the shard has become shorter since it was "
                            + "opened; start anew when nothing writes to it."
                    );
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(
                $"Reading the image '{Name(index)}' failed: {error.Message.TrimEnd('.')}; check that the shard can be read.",
                error
            );
        }
    }

    private static ShardFiles Find(string folder) => ShardFiles.Find(folder, [".tar", .. Compressed]);

    private static void RequireUncompressed(IReadOnlyList<string> files)
    {
        if (files.FirstOrDefault(file => !file.EndsWith(".tar", StringComparison.OrdinalIgnoreCase)) is { } file)
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening the shard '{file}' failed: it is compressed, and pictures are read at random, "
                    + "which that does not allow; decompress "
                    + $"it{(file.EndsWith("gz", StringComparison.OrdinalIgnoreCase) ? ", for example with gunzip" : "")}."
            );
    }

    private static string? NamesFile(string folder, IReadOnlyList<string> files)
    {
        string[] folders = [.. files.Select(file => Path.GetDirectoryName(file)!).Distinct(), folder];
        return folders
            .SelectMany(place => NamesFiles.Select(name => Path.Combine(place, name)))
            .FirstOrDefault(File.Exists);
    }

    // The training shards may have classes that another split has not, or a list of their own. Null where the split's
    // names are those of training.
    private static Func<IReadOnlyList<string>>? TrainingNames(
        string folder,
        ShardFiles shards,
        SplitPlan plan,
        string? listed
    )
    {
        if (plan.Source == DatasetRules.Train || !shards.Stored.Contains(DatasetRules.Train))
            return null;
        IReadOnlyList<string> files = shards.Of(DatasetRules.Train);
        string? listedOfTraining = NamesFile(folder, files);
        if (listedOfTraining is not null)
            return listedOfTraining == listed ? null : () => SampleIndex.ReadNames(listedOfTraining);
        return () =>
        {
            RequireUncompressed(files);
            return TarShardReader.Read(files, names: null).Names;
        };
    }
}
