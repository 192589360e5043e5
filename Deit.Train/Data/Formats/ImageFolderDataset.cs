using Deit.Model.Files;
using Deit.Model.Images;
using Deit.Train.Data.Names;
using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>
/// Pictures in a folder for each class: <c>DIR/{train,val,test}/CLASS/**</c>, or <c>DIR/CLASS/**</c> of which a share may be held out.
/// Classes and files are sorted by ordinal comparison, so every machine numbers them alike. Hidden files and folders are passed over.
/// </summary>
internal sealed class ImageFolderDataset : IImageSplit
{
    private readonly string _folder;
    private readonly string[] _files; // relative to the folder, with forward slashes
    private readonly int[] _labels;

    private ImageFolderDataset(string folder, IReadOnlyList<string> classNames, string[] files, int[] labels) =>
        (_folder, ClassNames, _files, _labels) = (folder, classNames, files, labels);

    /// <inheritdoc/>
    public int Count => _files.Length;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Notices { get; private init; } = [];

    /// <inheritdoc/>
    public int? SharedOf { get; private init; }

    /// <summary>Reads the names, not the pictures, of a split.</summary>
    /// <param name="folder">DIR.</param>
    /// <param name="split">"train", "val" or "test".</param>
    /// <param name="options">How to read it.</param>
    /// <exception cref="DeitException">
    /// There is no such folder or split, fewer than two classes, a class without pictures, or a class that training or the
    /// model does not have.
    /// </exception>
    public static ImageFolderDataset Open(string folder, string split, DatasetOptions? options = null)
    {
        options ??= new DatasetOptions();
        DatasetRules.RequireShare(folder, options);
        ImageFolderLayout layout = ImageFolderLayout.Read(folder);
        IReadOnlyList<string> splits = layout.Splits(options.ValFraction);
        if (!splits.Contains(split))
            throw DatasetRules.NoSuchSplit(folder, split, splits.Select(layout.Called), Remedy(layout, split));

        string root = layout.Root(split);
        FolderNotices notices = new(root);
        string[] classes = layout.Classes(split, notices);
        string[] training =
            splits.Contains(DatasetRules.Train) && layout.Root(DatasetRules.Train) != root
                ? layout.Classes(DatasetRules.Train, new FolderNotices(root))
                : classes;
        IReadOnlyList<string> classNames =
            options.ClassNames
            ?? (
                options.Inspecting ? [.. training.UnionBy(classes, CanonicalForm.Of, StringComparer.Ordinal)] : training
            );
        ClassLabels labelOf = ClassLabels.Match(
            root,
            classes,
            training,
            classNames,
            ofModel: options.ClassNames is not null,
            ("rename or remove that folder", "rename or remove those folders")
        );
        if (!options.Inspecting)
            DatasetRules.RequireSeveral(root, classNames, "add a folder of pictures for another class");

        List<string> files = [];
        List<int> labels = [];
        int all = 0;
        foreach ((string name, string[] pictures) in Pictures(root, classes, notices, options.Inspecting))
        {
            string[] chosen = layout.HasSplits
                ? pictures
                : ValidationSplit.Select(
                    pictures,
                    options.ValFraction,
                    options.Seed,
                    validation: split == DatasetRules.Val
                );
            all += pictures.Length;
            files.AddRange(chosen);
            labels.AddRange(Enumerable.Repeat(labelOf.Of(name), chosen.Length));
        }
        if (files.Count == 0 && !options.Inspecting)
            throw DatasetRules.NothingToSpare(folder, options);
        return new ImageFolderDataset(root, classNames, [.. files], [.. labels])
        {
            Notices = [.. labelOf.Notices, .. notices.Sentences(), .. options.Inspecting ? notices.Strangers() : []],
            SharedOf = layout.HasSplits || options.ValFraction == 0 ? null : all,
        };
    }

    /// <inheritdoc/>
    public int Label(int index) => _labels[index];

    /// <inheritdoc/>
    public string Name(int index) => Path.Combine(_folder, _files[index]);

    /// <inheritdoc/>
    public RgbImage Load(int index, ImagePart? part = null)
    {
        string path = Name(index);
        RequireUtf8(index, path);
        return ImageDecoder.Decode(path, part: part);
    }

    /// <inheritdoc/>
    public byte[] Encoded(int index)
    {
        string path = Name(index);
        RequireUtf8(index, path);
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error)
            when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ImageException(
                $"Reading the image '{path}' failed: {ReadFailure.Reason(path, error)}; check the path and its permissions.",
                error
            );
        }
    }

    /// <inheritdoc/>
    public long? EncodedLength(int index)
    {
        try
        {
            return new FileInfo(Name(index)).Length;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null; // said when it is read
        }
    }

    // The system lists such a file, and does not find it under the name as text.
    private void RequireUtf8(int index, string path)
    {
        if (_files[index].Contains(Utf8Text.Replacement, StringComparison.Ordinal) && !File.Exists(path))
            throw new ImageException(
                $"Reading the image '{path}' failed: its name is no UTF-8 (each wrong byte is shown as "
                    + $"'{Utf8Text.Replacement}'); rename it, for example with convmv."
            );
    }

    private static List<(string Class, string[] Pictures)> Pictures(
        string root,
        string[] classes,
        FolderNotices notices,
        bool inspecting
    ) =>
        ImageFolderLayout.Listing(
            root,
            () =>
            {
                ClassPlaces places = new(root, classes);
                List<(string, string[])> found = [];
                foreach (string name in classes)
                {
                    FolderNotices ofClass = new(root);
                    string[] pictures = ClassFolder.Pictures(root, name, places, ofClass);
                    if (pictures.Length == 0 && !inspecting)
                        throw new DeitException(
                            DeitErrorKind.Data,
                            $"Opening '{root}' failed: the class '{name}' has no pictures "
                                + $"({string.Join(", ", PictureFiles.Extensions)}); "
                                + $"{ofClass.WhyEmpty() ?? "add some or remove that folder"}."
                        );
                    notices.Add(ofClass);
                    found.Add((name, pictures));
                }
                foreach (string file in Directory.EnumerateFiles(root))
                    notices.Beside(Path.GetFileName(file));
                return found;
            }
        );

    private static string Remedy(ImageFolderLayout layout, string split)
    {
        if (!layout.HasSplits)
            return split == DatasetRules.Val
                ? "hold out a share of the pictures with --val-fraction, for example 0.1, or move them into the folders "
                    + "'train' and 'val'"
                : $"name one of these or add the folder '{split}'";
        IReadOnlyList<string> splits = layout.Splits(valFraction: 0);
        if (split != DatasetRules.Val || !splits.Contains(DatasetRules.Train))
            return $"name one of these or add the folder '{split}'";
        string test = splits.Contains(DatasetRules.Test)
            ? $", or rename '{layout.Root(DatasetRules.Test)}' to 'val' to choose the best model by it"
            : "";
        return $"name one of these or add the folder 'val', or give --data {layout.Root(DatasetRules.Train)}, "
            + $"of which --val-fraction is held out{test}";
    }
}
