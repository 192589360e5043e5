using Deit.Train.Data.Names;
using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>The layout of a data folder, which is one of two, and the folders in it.</summary>
internal sealed class ImageFolderLayout
{
    private readonly string _folder;
    private readonly Dictionary<string, string> _splits; // the folder of each; none where the classes lie in the folder itself

    private ImageFolderLayout(string folder, Dictionary<string, string> splits) =>
        (_folder, _splits) = (folder, splits);

    /// <summary>Whether there are folders of splits.</summary>
    public bool HasSplits => _splits.Count > 0;

    /// <summary>Looks into a folder.</summary>
    /// <exception cref="DeitException">
    /// There is no such folder, or it cannot be read, or it has no folders, or two of one split.
    /// </exception>
    public static ImageFolderLayout Read(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening the data folder '{folder}' failed: "
                    + $"{(File.Exists(folder) ? "it is a file" : "there is no such folder")}; "
                    + "name a folder with a folder of pictures for each class."
            );
        string[] names = Folders(folder);
        if (names.Length == 0)
            throw NoClasses(folder);
        string[] named = [.. names.Where(name => SplitNames.Of(name) is not null)];
        string[] deep = [.. named.Where(name => Folders(Path.Combine(folder, name)).Length > 0)];
        return new ImageFolderLayout(folder, AreSplits(folder, names, named, deep) ? Splits(folder, named, deep) : []);
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
                {
                    string root = layout.Root(split);
                    FolderNotices notices = new(root);
                    string[] classes = layout.Classes(split, notices);
                    return classes.Length >= fewest
                        && Listing(
                            root,
                            () =>
                            {
                                ClassPlaces places = new(root, classes);
                                return classes.All(name =>
                                    ClassFolder.Pictures(root, name, places, notices).Length > 0
                                );
                            }
                        );
                });
        }
        catch (DeitException)
        {
            return false;
        }
    }

    /// <summary>The splits that can be opened.</summary>
    public IReadOnlyList<string> Splits(double valFraction) =>
        HasSplits ? [.. SplitNames.Stored.Where(_splits.ContainsKey)]
        : valFraction > 0 ? [DatasetRules.Train, DatasetRules.Val]
        : [DatasetRules.Train];

    /// <summary>What the data calls a split: the name of its folder.</summary>
    public string Called(string split) => HasSplits ? _splits[split] : split;

    /// <summary>The folder of a split's classes.</summary>
    public string Root(string split) => HasSplits ? Path.Combine(_folder, _splits[split]) : _folder;

    /// <summary>The classes of a split, sorted.</summary>
    /// <param name="split">The split.</param>
    /// <param name="notices">Takes down which folders are no classes.</param>
    /// <exception cref="DeitException">There are none, or two differ in their Unicode form alone.</exception>
    public string[] Classes(string split, FolderNotices notices)
    {
        string root = Root(split);
        string[] classes = [.. Folders(root).Where(name => !IsRuns(root, name, notices))];
        DatasetRules.RequireDistinct(root, classes);
        return classes.Length > 0 ? classes : throw NoClasses(root);
    }

    /// <summary>Looks into folders; an error names the split's folder.</summary>
    /// <exception cref="DeitException">It failed.</exception>
    public static T Listing<T>(string folder, Func<T> list)
    {
        try
        {
            return list();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                DeitErrorKind.Data,
                $"Listing the data folder '{folder}' failed: {error.Message.TrimEnd('.')}; check that it can be read.",
                error
            );
        }
    }

    // A class may be called "train", too. Then its folder holds pictures, and folders of other classes lie beside it.
    // A class may even be called "Train" and hold folders of pictures: beside classes one such folder is no split.
    private static bool AreSplits(string folder, string[] names, string[] named, string[] deep)
    {
        if (named.Length == names.Length || deep.Any(name => SplitNames.Stored.Contains(name)) || deep.Length > 1)
            return true;
        return deep.Length == 1
            && Listing(folder, () => !names.Except(named).Any(name => PictureFiles.LieIn(Path.Combine(folder, name))));
    }

    private static Dictionary<string, string> Splits(string folder, string[] named, string[] deep)
    {
        Dictionary<string, string> splits = new(StringComparer.Ordinal);
        foreach (IGrouping<string, string> same in named.GroupBy(name => SplitNames.Of(name)!, StringComparer.Ordinal))
        {
            // An empty folder of the same meaning is no second split.
            string[] whole = [.. same.Where(deep.Contains)];
            if (whole.Length > 1)
                throw SplitNames.Twice(folder, same.Key, whole[0], whole[1]);
            splits[same.Key] = whole.FirstOrDefault() ?? same.FirstOrDefault(name => name == same.Key) ?? same.First();
        }
        return splits;
    }

    // Runs of trainings below a folder without pictures make no class.
    private static bool IsRuns(string root, string name, FolderNotices notices) =>
        Listing(
            root,
            () =>
            {
                string path = Path.Combine(root, name);
                if (OtherFolders.RunIn(path) is not { } run)
                    return false;
                if (
                    run != path
                    && ClassFolder.Pictures(root, name, new ClassPlaces(root, [name]), new FolderNotices(root)).Length
                        > 0
                )
                    return false;
                notices.Run(run);
                return true;
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
                        .Select(child => child.Name)
                        .Where(name => !OtherFolders.IsLeftover(name)),
                ];
                Array.Sort(names, StringComparer.Ordinal);
                foreach (string name in names)
                    RequireUtf8(Path.Combine(folder, name));
                return names;
            }
        );

    /// <summary>Refuses a folder that the system lists and that cannot be opened, since its name is no text.</summary>
    /// <exception cref="DeitException">It is one.</exception>
    public static void RequireUtf8(string folder)
    {
        if (
            Path.GetFileName(folder).Contains(Utf8Text.Replacement, StringComparison.Ordinal)
            && !Directory.Exists(folder)
        )
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening the data folder '{folder}' failed: its name is no UTF-8 (each wrong byte is shown as "
                    + $"'{Utf8Text.Replacement}'); rename it, for example with convmv."
            );
    }

    private static DeitException NoClasses(string folder) =>
        new(
            DeitErrorKind.Data,
            PictureFiles.LieIn(folder)
                ? $"Opening the data folder '{folder}' failed: it has no class folders, and pictures lie in it as in one class; "
                    + $"give the folder above it, or make a folder for each class, as '{Path.Combine(folder, "cat")}'."
                : $"Opening the data folder '{folder}' failed: it has no class folders; "
                    + $"expected a folder of pictures for each class, as in '{Path.Combine(folder, "cat")}'."
        );
}
