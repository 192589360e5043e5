using System.IO.Enumeration;

namespace Deit.Train.Data.Formats;

/// <summary>
/// The pictures of a class at any depth. Links are followed, but no folder is entered twice, and none that is above the
/// class or belongs to another: a link never makes more pictures than there are.
/// </summary>
internal sealed class ClassFolder
{
    private const int Deepest = 64;

    private readonly string _root;
    private readonly string _name;
    private readonly ClassPlaces _places;
    private readonly FolderNotices _notices;
    private readonly HashSet<string> _entered = new(StringComparer.Ordinal);
    private readonly Queue<Folder> _folders = [];
    private readonly SortedDictionary<string, Folder> _links = new(StringComparer.Ordinal);
    private readonly List<(string File, string RealFolder)> _files = [];
    private readonly List<string> _linkedFiles = [];

    private ClassFolder(string root, string name, ClassPlaces places, FolderNotices notices) =>
        (_root, _name, _places, _notices) = (root, name, places, notices);

    /// <summary>The pictures of a class, relative to the split's folder, with forward slashes, sorted.</summary>
    /// <param name="root">The split's folder.</param>
    /// <param name="name">The class.</param>
    /// <param name="places">Where all classes of the split are.</param>
    /// <param name="notices">Takes down what is passed over.</param>
    /// <exception cref="IOException">A folder cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static string[] Pictures(string root, string name, ClassPlaces places, FolderNotices notices)
    {
        ClassFolder folder = new(root, name, places, notices);
        folder.Walk();
        string[] pictures = [.. folder._files.Select(file => file.File), .. folder.NewLinks()];
        Array.Sort(pictures, StringComparer.Ordinal);
        notices.Count(pictures.Length);
        return pictures;
    }

    // Folders themselves before links to folders: what a link leads to may be read already.
    private void Walk()
    {
        _folders.Enqueue(new Folder(_name, _places.Of(_name), Depth: 0));
        while (true)
        {
            while (_folders.TryDequeue(out Folder folder))
                Enter(folder);
            if (_links.Count == 0)
                return;
            (string path, Folder link) = _links.First();
            _links.Remove(path);
            string real = _places.Paths.Of(InRoot(path));
            if (_places.Above(real))
                _notices.Dropped(InRoot(path), "leads to a folder above it");
            else
                _folders.Enqueue(link with { Real = real });
        }
    }

    private void Enter(Folder folder)
    {
        string path = InRoot(folder.Path);
        ImageFolderLayout.RequireUtf8(path);
        if (_places.OtherClass(folder.Real, _name) is { } other)
            _notices.Dropped(path, $"leads to pictures of the class '{other}'");
        else if (!_entered.Add(folder.Real))
            _notices.Dropped(path, "leads to a folder that is read already");
        else if (folder.Depth > Deepest)
            _notices.Dropped(path, $"is more than {Deepest} folders deep");
        else if (OtherFolders.IsRun(path))
            _notices.Run(path);
        else
            foreach (Entry entry in Entries(path))
                Take(entry, folder);
    }

    private void Take(Entry entry, Folder folder)
    {
        string path = $"{folder.Path}/{entry.Name}";
        if (entry.IsFolder)
        {
            if (OtherFolders.IsLeftover(entry.Name))
                return;
            Folder child = new(path, Path.Combine(folder.Real, entry.Name), folder.Depth + 1);
            if (entry.IsLink)
                _links.Add(path, child);
            else
                _folders.Enqueue(child);
        }
        else if (!PictureFiles.IsRead(entry.Name))
            _notices.PassedOver(InRoot(path));
        else if (entry.IsLink)
            _linkedFiles.Add(path);
        else
            _files.Add((path, folder.Real));
    }

    // The links to pictures that no other path of the class leads to.
    private IEnumerable<string> NewLinks()
    {
        if (_linkedFiles.Count == 0)
            yield break;
        HashSet<string> seen = new(
            _files.Select(file => Path.Combine(file.RealFolder, Path.GetFileName(file.File))),
            StringComparer.Ordinal
        );
        _linkedFiles.Sort(StringComparer.Ordinal);
        foreach (string file in _linkedFiles)
        {
            string path = InRoot(file);
            if (!File.Exists(path))
            {
                yield return file; // leads nowhere: said with the pictures that cannot be read
                continue;
            }
            string real = _places.Paths.Of(path);
            if (_places.OtherClass(real, _name) is { } other)
                _notices.Dropped(path, $"leads to pictures of the class '{other}'");
            else if (seen.Add(real))
                yield return file;
            else
                _notices.Dropped(path, "leads to a picture that is read already");
        }
    }

    private string InRoot(string path) => Path.Combine(_root, path);

    private static List<Entry> Entries(string folder)
    {
        EnumerationOptions options = new()
        {
            IgnoreInaccessible = false,
            AttributesToSkip = FileAttributes.Hidden | FileAttributes.System,
        };
        return
        [
            .. new FileSystemEnumerable<Entry>(
                folder,
                (ref FileSystemEntry entry) =>
                    new Entry(
                        entry.FileName.ToString(),
                        entry.IsDirectory,
                        (entry.Attributes & FileAttributes.ReparsePoint) != 0
                    ),
                options
            ),
        ];
    }

    private readonly record struct Entry(string Name, bool IsFolder, bool IsLink);

    /// <summary>A folder to enter.</summary>
    /// <param name="Path">Its path relative to the split's folder, with forward slashes.</param>
    /// <param name="Real">Its real path.</param>
    /// <param name="Depth">Folders between it and the class.</param>
    private readonly record struct Folder(string Path, string Real, int Depth);
}
