using Deit.Model.Files;

namespace Deit.Model.Hub;

/// <summary>
/// The folder of one repository in the cache, with the layout of Python's huggingface_hub: <c>blobs</c> holds contents by their tags,
/// <c>snapshots/COMMIT</c> links to them under the files' names, <c>refs</c> says which commit a branch or tag stands for, and
/// <c>.no_exist</c> which files a commit has not.
/// </summary>
internal sealed class HubCache
{
    /// <summary>The description of a model.</summary>
    public const string ConfigFile = "config.json";

    /// <summary>How transformers prepares pictures; timm has it in the description.</summary>
    public const string PreprocessorFile = "preprocessor_config.json";

    /// <summary>The weights of a model.</summary>
    public const string WeightsFile = "model.safetensors";

    /// <summary>Says in which file each tensor lies, where the weights are in several.</summary>
    public const string IndexFile = "model.safetensors.index.json";

    private readonly string _folder,
        _locks;
    private readonly bool _withoutLinks;

    /// <summary>The folder of a repository. It need not exist.</summary>
    public HubCache(HubSettings settings, HubName name)
    {
        string own = $"models--{name.Owner}--{name.Repository}";
        _folder = Path.Combine(settings.CacheFolder, own);
        _locks = Path.Combine(settings.CacheFolder, ".locks", own);
        _withoutLinks = settings.WithoutLinks;
    }

    /// <summary>The folder with the files of a commit.</summary>
    public string Snapshot(string commit) => Path.Combine(_folder, "snapshots", commit);

    /// <summary>The place of a content.</summary>
    public string Blob(string tag) => Path.Combine(_folder, "blobs", tag);

    /// <summary>The place of a file of a commit.</summary>
    public string FileOf(string commit, string path) => Path.Combine(Snapshot(commit), path);

    /// <summary>The file that one process at a time locks to fetch a content.</summary>
    public string Lock(string tag) => Path.Combine(_locks, $"{tag}.lock");

    /// <summary>The commit that a revision stood for when it was last asked; null where nobody asked.</summary>
    public string? CommitOf(HubName name)
    {
        if (name.IsCommit)
            return name.Revision;
        try
        {
            string commit = File.ReadAllText(Ref(name.Revision)).Trim();
            return HubName.IsCommitHash(commit) ? commit : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether the files of a commit make a model: its description and all of its weights.</summary>
    public bool IsUsable(string commit) => Has(commit, ConfigFile) && HasWeights(commit);

    /// <summary>Whether nothing of a commit is left to ask: it is usable, and the file that may be missing is known to be.</summary>
    public bool IsWhole(string commit) =>
        IsUsable(commit) && (Has(commit, PreprocessorFile) || File.Exists(NoFile(commit, PreprocessorFile)));

    /// <summary>Whether a file of a commit is there, its content included.</summary>
    public bool Has(string commit, string path) => IsThere(FileOf(commit, path));

    /// <summary>The names of the files that an index of weights names.</summary>
    /// <exception cref="DeitException">It is damaged, or names files elsewhere.</exception>
    public IReadOnlyList<string> Shards(string commit) =>
        [.. ShardedWeights.Files(FileOf(commit, IndexFile)).Select(file => Path.GetFileName(file)!)];

    /// <summary>Notes what a branch or tag stands for.</summary>
    /// <exception cref="IOException">The cache cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The cache cannot be written.</exception>
    public void Note(HubName name, string commit)
    {
        if (name.IsCommit || CommitOf(name) == commit)
            return;
        string file = Ref(name.Revision);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        Place(file, draft => File.WriteAllText(draft, commit));
    }

    /// <summary>Notes that a commit has no such file.</summary>
    /// <exception cref="IOException">The cache cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The cache cannot be written.</exception>
    public void NoteMissing(string commit, string path)
    {
        string file = NoFile(commit, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.Create(file).Dispose();
    }

    /// <summary>Gives a content the name of a file of a commit: a link, or the content itself where there can be none.</summary>
    /// <exception cref="IOException">The cache cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The cache cannot be written.</exception>
    public void Link(RemoteFile file)
    {
        string blob = Blob(file.Tag),
            place = FileOf(file.Commit, file.Path);
        Directory.CreateDirectory(Snapshot(file.Commit));
        if (IsThere(place))
            return;
        File.Delete(place); // a link whose content was removed
        if (!_withoutLinks)
            try
            {
                File.CreateSymbolicLink(place, Path.Combine("..", "..", "blobs", file.Tag));
                return;
            }
            catch (Exception error)
                when (error is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
            {
                // Another process was faster; or the file system has no links, or Windows does not allow them to this user.
                if (IsThere(place))
                    return;
            }
        Place(place, draft => File.Copy(blob, draft));
    }

    /// <summary>Whether names are links. Where they cannot be, each takes as much space as its content once more.</summary>
    public bool TakesLinks()
    {
        if (_withoutLinks)
            return false;
        string link = Path.Combine(_folder, Draft(".link"));
        try
        {
            Directory.CreateDirectory(_folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return true; // nothing can be written, which is told where it is tried
        }
        try
        {
            File.CreateSymbolicLink(link, "nothing");
            File.Delete(link);
            return true;
        }
        catch (Exception error)
            when (error is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            return false;
        }
    }

    private static string Draft(string place) => $"{place}.{Guid.NewGuid():N}.tmp";

    // A file has its name only once it is whole, and none is left of one that fails.
    private static void Place(string place, Action<string> write)
    {
        string draft = Draft(place);
        try
        {
            write(draft);
            File.Move(draft, place, overwrite: true);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }

    // .NET also counts a link as a file that leads nowhere.
    private static bool IsThere(string path)
    {
        try
        {
            return File.Exists(path)
                && (File.ResolveLinkTarget(path, returnFinalTarget: true) is not { } target || target.Exists);
        }
        catch (IOException)
        {
            return false; // a circle of links
        }
    }

    private bool HasWeights(string commit)
    {
        if (Has(commit, WeightsFile))
            return true;
        try
        {
            return Has(commit, IndexFile) && Shards(commit).All(shard => Has(commit, shard));
        }
        catch (DeitException)
        {
            return false; // an index that is damaged is fetched again
        }
    }

    private string Ref(string revision) => Path.Combine(_folder, "refs", Path.Combine(revision.Split('/')));

    private string NoFile(string commit, string path) => Path.Combine(_folder, ".no_exist", commit, path);
}
