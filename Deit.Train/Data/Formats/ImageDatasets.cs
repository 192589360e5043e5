using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>Opens data in any format.</summary>
internal static class ImageDatasets
{
    /// <summary>
    /// The formats that are recognised by their files. A folder without any of them has a folder of pictures for each class.
    /// </summary>
    private static readonly DatasetFormat[] Formats =
    [
        CifarDataset.Format,
        TarShardDataset.Format,
        ParquetDataset.Format,
    ];

    /// <summary>
    /// Recognises a format by the files in the folder; otherwise there is a folder of pictures for each class. Folders
    /// of pictures that can be opened as they are count even when files of another format lie beside them, unless those
    /// are unmistakable.
    /// </summary>
    /// <param name="path">The folder.</param>
    /// <param name="split">"train", "val", "test", another word for one of them as <see cref="SplitNames"/> has it, or
    /// "all" for every picture of every split.</param>
    /// <param name="options">How to read it.</param>
    /// <exception cref="DeitException">The data cannot be opened, or not this split of it.</exception>
    public static IImageSplit Open(string path, string split, DatasetOptions options)
    {
        string asked = SplitNames.Asked(split);
        return asked == SplitNames.All ? JoinedDataset.Open(path, options, OpenSplit) : OpenSplit(path, asked, options);
    }

    /// <summary>Whether the folder has folders of pictures for each class and no splits.</summary>
    public static bool IsUndivided(string path)
    {
        try
        {
            return Formats.All(format => !Has(format, path)) && !ImageFolderLayout.Read(path).HasSplits;
        }
        catch (DeitException)
        {
            return false; // said when it is opened
        }
    }

    private static IImageSplit OpenSplit(string path, string split, DatasetOptions options)
    {
        DatasetFormat[] found = [.. Formats.Where(format => Has(format, path))];
        if (found.FirstOrDefault(format => format.Unmistakable) is { } certain)
            return certain.Open(path, split, options);
        if (found.Length == 0 || ImageFolderLayout.IsWhole(path))
            return ImageFolderDataset.Open(path, split, options);
        if (found.Length > 1)
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening '{path}' failed: it has both {string.Join(" and ", found.Select(format => format.Files))}, "
                    + "expected one of them; move the others elsewhere."
            );
        return found[0].Open(path, split, options);
    }

    // A folder that cannot be listed is reported by the format that opens it.
    private static bool Has(DatasetFormat format, string path)
    {
        try
        {
            return format.IsIn(path);
        }
        catch (DeitException)
        {
            return false;
        }
    }
}
