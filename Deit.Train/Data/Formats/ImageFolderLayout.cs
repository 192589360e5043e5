using Deit.Model;
using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>The layout of a data folder, which is one of two, and the folders and pictures in it.</summary>
internal sealed class ImageFolderLayout
{
    private static readonly string[] SplitNames = [DatasetRules.Train, DatasetRules.Val, DatasetRules.Test];
    private readonly string _folder;
    private readonly string[] _splits; // empty where the classes lie in the folder itself

    private ImageFolderLayout(string folder, string[] splits) => (_folder, _splits) = (folder, splits);

    /// <summary>The ends of files that the decoder reads; files of other kinds are passed over.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"];

    /// <summary>Whether there are folders of splits.</summary>
    public bool HasSplits => _splits.Length > 0;

    /// <summary>Looks into a folder.</summary>
    /// <exception cref="DeitException">There is no such folder, or it cannot be read, or it has no folders.</exception>
    public static ImageFolderLayout Read(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DeitException(
                $"Opening the data folder '{folder}' failed: "
                    + $"{(File.Exists(folder) ? "it is a file" : "there is no such folder")}; "
                    + "name a folder with a folder of pictures for each class."
            );
        string[] names = Folders(folder);
        if (names.Length == 0)
            throw NoClasses(folder);
        string[] splits = [.. SplitNames.Where(name => names.Contains(name, StringComparer.Ordinal))];
        // A class may be called "train", too. Then its folder holds pictures, and folders of other classes lie beside
        // it.
        bool hasSplits =
            splits.Length == names.Length || splits.Any(split => Folders(Path.Combine(folder, split)).Length > 0);
        return new ImageFolderLayout(folder, hasSplits ? splits : []);
    }

    /// <summary>Whether there is a split all of whose classes have pictures. The folder can then be opened as it
    /// is.</summary>
    public static bool IsWhole(string folder)
    {
        try
        {
            ImageFolderLayout layout = Read(folder);
            // A single folder of pictures beside files of another format only illustrates them; in the folder of a
            // split it is a class.
            int fewest = layout.HasSplits ? 1 : 2;
            return layout
                .Splits(valFraction: 0)
                .Any(split =>
                    layout.Classes(split) is { } classes
                    && classes.Length >= fewest
                    && classes.All(name => Pictures(layout.Root(split), name).Length > 0)
                );
        }
        catch (DeitException)
        {
            return false;
        }
    }

    /// <summary>The splits that can be opened.</summary>
    public IReadOnlyList<string> Splits(double valFraction) =>
        HasSplits ? _splits
        : valFraction > 0 ? [DatasetRules.Train, DatasetRules.Val]
        : [DatasetRules.Train];

    /// <summary>The folder of a split's classes.</summary>
    public string Root(string split) => HasSplits ? Path.Combine(_folder, split) : _folder;

    /// <summary>The classes of a split, sorted.</summary>
    /// <exception cref="DeitException">There are none.</exception>
    public string[] Classes(string split)
    {
        string[] classes = Folders(Root(split));
        return classes.Length > 0 ? classes : throw NoClasses(Root(split));
    }

    /// <summary>The pictures of a class at any depth, relative to the split's folder, sorted.</summary>
    public static string[] Pictures(string root, string className) =>
        Listing(
            root,
            () =>
            {
                EnumerationOptions options = new()
                {
                    RecurseSubdirectories = true,
                    IgnoreInaccessible = false,
                    AttributesToSkip = FileAttributes.Hidden | FileAttributes.System,
                };
                string[] files =
                [
                    .. Directory
                        .EnumerateFiles(Path.Combine(root, className), "*", options)
                        .Where(file => Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
                        .Select(file => Path.GetRelativePath(root, file).Replace('\\', '/')),
                ];
                Array.Sort(files, StringComparer.Ordinal);
                return files;
            }
        );

    private static string[] Folders(string folder) =>
        Listing(
            folder,
            () =>
            {
                string[] names =
                [
                    .. new DirectoryInfo(folder)
                        .EnumerateDirectories()
                        .Where(child => child.Name[0] != '.')
                        .Select(child => child.Name),
                ];
                Array.Sort(names, StringComparer.Ordinal);
                return names;
            }
        );

    private static string[] Listing(string folder, Func<string[]> list)
    {
        try
        {
            return list();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                $"Listing the data folder '{folder}' failed: {error.Message.TrimEnd('.')}; check that it can be read.",
                error
            );
        }
    }

    private static DeitException NoClasses(string folder) =>
        new(
            $"Opening the data folder '{folder}' failed: it has no class folders; "
                + $"expected a folder of pictures for each class, as in '{Path.Combine(folder, "cat")}'."
        );
}
