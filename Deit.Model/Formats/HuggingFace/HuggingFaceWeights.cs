using Deit.Model.Files;

namespace Deit.Model;

/// <summary>
/// A file with the tensors of a transformers class, seen under the reference's names: query, key and value are packed
/// when they are read.
/// </summary>
internal sealed class HuggingFaceWeights : IWeights
{
    private readonly IWeights _file;
    private readonly string _path;
    private readonly Dictionary<string, string[]> _parts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long[]> _shapes = new(StringComparer.Ordinal);

    private HuggingFaceWeights(IWeights file, string path, HuggingFaceLayout layout, string prefix)
    {
        (_file, _path) = (file, path);
        foreach (string theirs in file.Shapes.Keys)
        {
            if (layout.Ignores(theirs, prefix))
                continue;
            (string ours, int part, int parts) = layout.FromTheirs(theirs, prefix) ?? (theirs, 0, 1);
            if (!_parts.TryGetValue(ours, out string[]? sources))
                _parts.Add(ours, sources = new string[parts]);
            if (sources[part] is { } twice)
                throw new CheckpointException(
                    $"'{path}' has both '{twice}' and '{theirs}', which are one tensor of a model; fetch or write the file again."
                );
            sources[part] = theirs;
        }
        foreach ((string ours, string[] sources) in _parts)
            _shapes.Add(ours, Packed(sources));
        IReadOnlyDictionary<string, long[]> zeros = layout.Zeros(_shapes, [.. file.Shapes.Keys]);
        foreach ((string ours, long[] shape) in zeros)
            _shapes.Add(ours, shape);
        HeadFusion = zeros.Count > 0 ? HeadFusion.ClassToken : HeadFusion.MeanLogits;
    }

    /// <summary>How the library's class answers: a head that it lacks reads as zeros and has no part in the answer.</summary>
    public HeadFusion HeadFusion { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long[]> Shapes => _shapes;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => _file.Metadata;

    /// <summary>The same weights where they have the reference's names; under those names where they have transformers'.</summary>
    /// <param name="file">The open file, which the result owns; closed where this throws.</param>
    /// <param name="path">The name of the file in messages.</param>
    /// <exception cref="CheckpointException">A tensor is there twice or in part.</exception>
    public static IWeights Wrap(IWeights file, string path)
    {
        foreach (NetworkFamily family in NetworkFamilies.All)
            if (family.HuggingFace is { } layout && layout.Prefix(file.Shapes.Keys) is { } prefix)
                try
                {
                    return new HuggingFaceWeights(file, path, layout, prefix);
                }
                catch
                {
                    file.Dispose();
                    throw;
                }
        return file;
    }

    /// <inheritdoc/>
    public float[] Read(string name)
    {
        if (!_parts.TryGetValue(name, out string[]? sources))
            return _shapes.TryGetValue(name, out long[]? shape)
                ? new float[shape.Aggregate(1L, (product, extent) => product * extent)]
                : throw new CheckpointException(
                    $"Reading '{_path}' failed: it has no tensor '{name}' among its {_shapes.Count}; check "
                        + "that it is a checkpoint of this model."
                );
        return sources.Length == 1 ? _file.Read(sources[0]) : [.. sources.SelectMany(_file.Read)];
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    // Rows add up, the rest is common.
    private long[] Packed(string[] sources)
    {
        if (Array.IndexOf(sources, null) >= 0)
            throw new CheckpointException(
                $"'{_path}' has '{sources.First(source => source is not null)}' without its companions among "
                    + "query, key and value; fetch or write the file again."
            );
        long[][] shapes = Array.ConvertAll(sources, source => _file.Shapes[source]);
        if (sources.Length == 1)
            return shapes[0];
        if (shapes.FirstOrDefault(shape => shape.Length == 0 || !shape.SequenceEqual(shapes[0])) is { } odd)
            throw new CheckpointException(
                $"'{_path}' has '{sources[0]}' and its companions in shapes that differ "
                    + $"([{string.Join(", ", odd)}] is one); fetch or write the file again."
            );
        return [shapes.Sum(shape => shape[0]), .. shapes[0][1..]];
    }
}
