using Deit.Model.Files;

namespace Deit.Model;

/// <summary>A file seen under other names than those in it, such as the reference's where some of its tensors have the names of
/// another publication. A tensor without a new name is left out.</summary>
internal sealed class RenamedWeights : IWeights
{
    private readonly IWeights _file;
    private readonly Dictionary<string, string> _theirs;

    /// <summary>The same weights under new names.</summary>
    /// <param name="file">The open file, which this owns.</param>
    /// <param name="theirs">The name in the file of each new name.</param>
    public RenamedWeights(IWeights file, Dictionary<string, string> theirs)
    {
        (_file, _theirs) = (file, theirs);
        Shapes = theirs.ToDictionary(pair => pair.Key, pair => file.Shapes[pair.Value], StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long[]> Shapes { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => _file.Metadata;

    /// <summary>The same weights where all names are the reference's; under those names elsewhere.</summary>
    /// <param name="file">The open file, which the result owns; closed where this throws.</param>
    /// <param name="path">The name of the file in messages.</param>
    /// <exception cref="CheckpointException">A tensor is there under both names.</exception>
    public static IWeights Wrap(IWeights file, string path)
    {
        if (!file.Shapes.Keys.Any(name => ReferenceName(name) is not null))
            return file;
        Dictionary<string, string> theirs = new(StringComparer.Ordinal);
        foreach (string name in file.Shapes.Keys)
            if (!theirs.TryAdd(ReferenceName(name) ?? name, name))
            {
                file.Dispose();
                throw new CheckpointException(
                    $"'{path}' has '{name}' under another name, too; fetch or write the file again."
                );
            }
        return new RenamedWeights(file, theirs);
    }

    /// <inheritdoc/>
    public float[] Read(string name) =>
        _theirs.TryGetValue(name, out string? theirs)
            ? _file.Read(theirs)
            : throw new CheckpointException(
                $"The file has no tensor '{name}' among its {_theirs.Count}; check that it is a checkpoint of this model."
            );

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static string? ReferenceName(string name) =>
        NetworkFamilies.All.Select(family => family.ReferenceName(name)).FirstOrDefault(ours => ours is not null);
}
