namespace Deit.Train.Data.Formats;

/// <summary>The real paths of a split's classes.</summary>
internal sealed class ClassPlaces
{
    private readonly Dictionary<string, string> _classOf = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _placeOf = new(StringComparer.Ordinal);
    private readonly string _root;

    /// <summary>Follows the links among the folders of classes.</summary>
    /// <param name="root">The split's folder.</param>
    /// <param name="classes">Its classes.</param>
    /// <exception cref="DeitException">Two classes are one folder.</exception>
    /// <exception cref="IOException">A folder cannot be read.</exception>
    public ClassPlaces(string root, IEnumerable<string> classes)
    {
        _root = Paths.Of(root);
        foreach (string name in classes)
        {
            string place = Paths.Of(Path.Combine(root, name));
            if (!_classOf.TryAdd(place, name))
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"Opening '{root}' failed: its classes '{_classOf[place]}' and '{name}' are one folder, '{place}', "
                        + "expected pictures of their own for each; remove the link."
                );
            _placeOf.Add(name, place);
        }
    }

    /// <summary>Follows links.</summary>
    public RealPaths Paths { get; } = new();

    /// <summary>The real path of a class.</summary>
    public string Of(string name) => _placeOf[name];

    /// <summary>Whether a real path is the split's folder or above it, or above a class.</summary>
    public bool Above(string real) =>
        RealPaths.IsIn(_root, real) || _classOf.Keys.Any(place => place != real && RealPaths.IsIn(place, real));

    /// <summary>The other class that a real path belongs to; null where it belongs to none.</summary>
    public string? OtherClass(string real, string name)
    {
        for (string? folder = real; folder is not null; folder = Path.GetDirectoryName(folder))
            if (_classOf.TryGetValue(folder, out string? owner))
                return owner == name ? null : owner;
        return null;
    }
}
