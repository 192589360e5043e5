using Deit.Model;

namespace Deit.Train.Data.Formats;

/// <summary>Opens data in whichever format it is.</summary>
internal static class ImageDatasets
{
    /// <summary>
    /// Recognises a format by what lies in the folder: CIFAR's binary files, tar shards, Parquet files, and otherwise a folder of pictures for
    /// each class. Folders of pictures that are whole are taken as such even when tar or Parquet files lie beside them.
    /// </summary>
    /// <param name="path">The folder.</param>
    /// <param name="split">"train", "val" or "test".</param>
    /// <param name="options">How to read it.</param>
    /// <exception cref="DeitException">The data cannot be opened, or not this split of it.</exception>
    public static IImageDataset Open(string path, string split, DatasetOptions options)
    {
        if (CifarDataset.IsIn(path))
            return CifarDataset.Open(path, split, options);
        bool tar = Has(TarShardDataset.IsIn, path),
            parquet = Has(ParquetDataset.IsIn, path);
        if ((!tar && !parquet) || ImageFolderLayout.IsWhole(path))
            return ImageFolderDataset.Open(path, split, options);
        if (tar && parquet)
            throw new DeitException(
                $"Opening '{path}' failed: it has both tar shards and Parquet files, expected one of them; move the others elsewhere."
            );
        return tar ? TarShardDataset.Open(path, split, options) : ParquetDataset.Open(path, split, options);
    }

    // A folder that cannot be listed is said by whoever opens it.
    private static bool Has(Func<string, bool> isIn, string path)
    {
        try
        {
            return isIn(path);
        }
        catch (DeitException)
        {
            return false;
        }
    }
}
