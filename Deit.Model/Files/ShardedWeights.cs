using System.Text.Json;

namespace Deit.Model.Files;

/// <summary>
/// Weights in several safetensors files, as transformers writes large models: <c>model.safetensors.index.json</c> says in which file each
/// tensor lies. All files are opened at once, and must lie beside the index.
/// </summary>
internal sealed class ShardedWeights : IWeights
{
    private const string Map = "weight_map";

    private readonly Dictionary<string, SafetensorsFile> _fileOf = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long[]> _shapes = new(StringComparer.Ordinal);
    private readonly List<SafetensorsFile> _files = [];

    private ShardedWeights(string index)
    {
        try
        {
            Dictionary<string, string> map = ReadMap(index);
            foreach (string path in Files(index, map))
            {
                SafetensorsFile file = SafetensorsFile.Open(path);
                _files.Add(file);
                foreach ((string name, long[] shape) in file.Shapes)
                {
                    if (!_fileOf.TryAdd(name, file))
                        throw new CheckpointException(
                            $"'{path}' has '{name}', which another part of '{index}' has, too; fetch all parts again."
                        );
                    _shapes.Add(name, shape);
                }
            }
            foreach ((string name, string part) in map)
                if (!_fileOf.ContainsKey(name))
                    throw new CheckpointException(
                        $"'{part}' lacks '{name}', which '{index}' says it has; fetch all parts again."
                    );
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long[]> Shapes => _shapes;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => _files[0].Metadata;

    /// <summary>Opens the files of an index.</summary>
    /// <param name="index">The index.</param>
    /// <exception cref="CheckpointException">The index or a file is missing or damaged, or they do not fit each other.</exception>
    public static ShardedWeights Open(string index) => new(index);

    /// <summary>The paths of all files of an index, in the order of their names.</summary>
    /// <param name="index">The index.</param>
    /// <exception cref="CheckpointException">It is missing or damaged.</exception>
    public static IReadOnlyList<string> Files(string index) => Files(index, ReadMap(index));

    /// <inheritdoc/>
    public float[] Read(string name) =>
        _fileOf.TryGetValue(name, out SafetensorsFile? file) ? file.Read(name) : _files[0].Read(name);

    /// <inheritdoc/>
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private static string[] Files(string index, Dictionary<string, string> map) =>
        [
            .. map
                .Values.Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal)
                .Select(file => Path.Combine(Path.GetDirectoryName(index)!, file)),
        ];

    private static Dictionary<string, string> ReadMap(string index)
    {
        Dictionary<string, string> map = new(StringComparer.Ordinal);
        try
        {
            using JsonDocument document = JsonDocument.Parse(JsonFile.Read(index));
            foreach (JsonProperty entry in document.RootElement.GetProperty(Map).EnumerateObject())
                map[entry.Name] = entry.Value.GetString() ?? "";
        }
        catch (Exception error)
            when (error
                    is JsonException
                        or IOException
                        or UnauthorizedAccessException
                        or InvalidOperationException
                        or KeyNotFoundException
            )
        {
            throw new CheckpointException(
                $"'{index}' cannot be read as an index of weights "
                    + $"({error.Message.ReplaceLineEndings(" ").TrimEnd('.')}); fetch the file again.",
                error
            );
        }
        if (map.Count == 0)
            throw new CheckpointException($"'{index}' names no tensors; fetch the file again.");
        // The index comes from others: it must not lead to files elsewhere.
        return map.Values.FirstOrDefault(file => !IsPlainName(file)) is { } strange
            ? throw new CheckpointException(
                $"'{index}' places a tensor in '{strange}', expected the name of a .safetensors file beside it; fetch the file again."
            )
            : map;
    }

    private static bool IsPlainName(string file) =>
        file.EndsWith(".safetensors", StringComparison.Ordinal)
        && file.IndexOfAny(['/', '\\', ':', '\0']) < 0
        && Path.GetFileName(file) == file;
}
