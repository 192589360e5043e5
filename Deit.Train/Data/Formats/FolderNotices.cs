using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>Takes down what is passed over while folders of pictures are opened, and says it in a few sentences.</summary>
/// <param name="root">The split's folder.</param>
internal sealed class FolderNotices(string root)
{
    private const int MostOpened = 100,
        MostStrangers = 3;
    private readonly Dictionary<string, int> _others = new(StringComparer.Ordinal);
    private readonly List<string> _misnamed = [];
    private readonly Dictionary<string, List<string>> _dropped = new(StringComparer.Ordinal);
    private readonly List<string> _runs = [];
    private readonly List<string> _strangers = [];
    private int _pictures,
        _opened,
        _loose,
        _strangerCount;

    /// <summary>Pictures of a class were found.</summary>
    public void Count(int pictures) => _pictures += pictures;

    /// <summary>A file does not have the name of a picture that is read.</summary>
    public void PassedOver(string path)
    {
        string extension = Path.GetExtension(path).ToLowerInvariant();
        if (PictureFiles.IsOther(path))
            _others[extension] = _others.GetValueOrDefault(extension) + 1;
        // Looking into every file of a large folder would take long.
        else if (_opened++ < MostOpened && PictureFiles.BeginsAsPicture(path))
            _misnamed.Add(path);
        else if (++_strangerCount <= MostStrangers)
            _strangers.Add(path);
    }

    /// <summary>A link or a folder is not followed.</summary>
    /// <param name="path">It.</param>
    /// <param name="why">The reason, with a verb: "leads to ...".</param>
    public void Dropped(string path, string why)
    {
        if (!_dropped.TryGetValue(why, out List<string>? paths))
            _dropped[why] = paths = [];
        paths.Add(path);
    }

    /// <summary>A folder is a run of a training.</summary>
    public void Run(string path) => _runs.Add(path);

    /// <summary>A file lies beside the folders of the classes.</summary>
    public void Beside(string name) =>
        _loose += name[0] != '.' && (PictureFiles.IsRead(name) || PictureFiles.IsOther(name)) ? 1 : 0;

    /// <summary>Adds what was taken down of a class.</summary>
    public void Add(FolderNotices other)
    {
        foreach ((string extension, int count) in other._others)
            _others[extension] = _others.GetValueOrDefault(extension) + count;
        foreach ((string why, List<string> paths) in other._dropped)
        foreach (string path in paths)
            Dropped(path, why);
        _misnamed.AddRange(other._misnamed);
        _runs.AddRange(other._runs);
        _strangers.AddRange(other._strangers.Take(MostStrangers - _strangers.Count));
        _strangerCount += other._strangerCount;
        _pictures += other._pictures;
        _opened += other._opened;
    }

    /// <summary>Why a class without pictures has none; null where nothing was passed over in it.</summary>
    public string? WhyEmpty() =>
        _others.Count > 0
            ? $"its {Others()} are of kinds that are not read; convert them to JPEG or PNG, or remove that folder"
        : _misnamed.Count > 0
            ? $"'{_misnamed[0]}' is a picture whose name does not end as one; add .jpg or .png to such names"
        : _dropped.Count > 0
            ? $"'{_dropped.First().Value[0]}' {_dropped.First().Key}; give it pictures of its own or remove that folder"
        : null;

    /// <summary>A sentence for each kind of thing, without a point at its end.</summary>
    public IEnumerable<string> Sentences()
    {
        int others = _others.Values.Sum();
        if (others > 0)
            yield return $"{Number(others, "file")} of {_pictures + others} in '{root}' {Are(others)} passed over by "
                + $"{(others == 1 ? "its" : "their")} extension: {Others()}; convert them to JPEG or PNG to use them";
        if (_misnamed.Count > 0)
            yield return $"{(_opened > MostOpened ? "at least " : "")}{Number(_misnamed.Count, "picture")} in '{root}' "
                + $"{Are(_misnamed.Count)} passed over by {(_misnamed.Count == 1 ? "its name" : "their names")}: "
                + $"{Some(_misnamed)}; add .jpg or .png to such names";
        foreach ((string why, List<string> paths) in _dropped)
            yield return $"{Number(paths.Count, "path")} in '{root}' {Are(paths.Count)} passed over, since each {why}: "
                + Some(paths);
        if (_runs.Count > 0)
            yield return $"{Some(_runs)} {(_runs.Count == 1 ? "is a run" : "are runs")} of a training and no class of "
                + $"pictures; better keep runs outside of the data";
        if (_loose > 0)
            yield return $"{Number(_loose, "picture")} in '{root}' {(_loose == 1 ? "lies" : "lie")} beside the folders of "
                + $"the classes, and {Are(_loose)} passed over";
    }

    /// <summary>A sentence on files that are no pictures by their names: a training need not know of them.</summary>
    public IEnumerable<string> Strangers()
    {
        string more = _strangerCount > _strangers.Count ? $" and {_strangerCount - _strangers.Count} more" : "";
        if (_strangerCount > 0)
            yield return $"{Number(_strangerCount, "file")} among the pictures of '{root}' {Are(_strangerCount)} no picture by "
                + $"{(_strangerCount == 1 ? "its name" : "their names")}: {Some(_strangers)}{more}; nothing reads such files";
    }

    private static string Number(int count, string noun) => $"{count} {noun}{(count == 1 ? "" : "s")}";

    private static string Are(int count) => count == 1 ? "is" : "are";

    private string Others() =>
        string.Join(
            ", ",
            _others.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Value} {pair.Key}")
        );

    private static string Some(List<string> paths) => DatasetRules.Some(paths);
}
