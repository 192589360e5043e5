using Deit.Model;
using Deit.Model.Images;
using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>
/// Pictures in a folder for each class: <c>DIR/{train,val,test}/CLASS/**</c>, or <c>DIR/CLASS/**</c> of which a share may be held out.
/// Classes and files are sorted by ordinal comparison, so every machine numbers them alike. Hidden files and folders are passed over.
/// </summary>
internal sealed class ImageFolderDataset : IImageDataset
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
            throw DatasetRules.NoSuchSplit(folder, split, splits, Remedy(layout, split));

        string root = layout.Root(split);
        string[] classes = layout.Classes(split);
        IReadOnlyList<string> classNames =
            options.ClassNames ?? (splits.Contains(DatasetRules.Train) ? layout.Classes(DatasetRules.Train) : classes);
        DatasetRules.RequireKnown(
            root,
            classes,
            classNames,
            options,
            ("rename or remove that folder", "rename or remove those folders")
        );
        DatasetRules.RequireSeveral(root, classNames, "add a folder of pictures for another class");

        Dictionary<string, int> labelOf = DatasetRules.LabelOf(classNames);
        List<string> files = [];
        List<int> labels = [];
        foreach (string name in classes)
        {
            string[] all = ImageFolderLayout.Pictures(root, name);
            if (all.Length == 0)
                throw new DeitException(
                    $"Opening '{root}' failed: the class '{name}' has no pictures "
                        + $"({string.Join(", ", ImageFolderLayout.Extensions)}); add some or remove that folder."
                );
            string[] chosen = layout.HasSplits
                ? all
                : ValidationSplit.Select(all, options.ValFraction, options.Seed, validation: split == DatasetRules.Val);
            files.AddRange(chosen);
            labels.AddRange(Enumerable.Repeat(labelOf[name], chosen.Length));
        }
        if (files.Count == 0)
            throw DatasetRules.NothingToSpare(folder, options);
        return new ImageFolderDataset(root, classNames, [.. files], [.. labels]);
    }

    /// <inheritdoc/>
    public int Label(int index) => _labels[index];

    /// <inheritdoc/>
    public string Name(int index) => Path.Combine(_folder, _files[index]);

    /// <inheritdoc/>
    public RgbImage Load(int index, ImagePart? part = null) => ImageDecoder.Decode(Name(index), part: part);

    private static string Remedy(ImageFolderLayout layout, string split) =>
        layout.HasSplits || split != DatasetRules.Val
            ? $"name one of these or add the folder '{split}'"
            : "hold out a share of the pictures with --val-fraction, for example 0.1, or move them into the folders 'train' and 'val'";
}
