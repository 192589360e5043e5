using System.Runtime.InteropServices;
using System.Text.Json;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Files;

namespace Deit.Tests.Golden;

/// <summary>A golden safetensors file: values, shapes and parameters of a case.</summary>
internal sealed class GoldenFile(string relative) : IDisposable
{
    private readonly SafetensorsFile _file = SafetensorsFile.Open(GoldenData.Path(relative));

    public IReadOnlyDictionary<string, string> Metadata => _file.Metadata;

    public IEnumerable<string> Names => _file.Entries.Select(entry => entry.Name);

    public bool Has(string name) => _file.TryGet(name, out _);

    public int[] Dims(string name) => [.. _file[name].Shape.Select(d => checked((int)d))];

    public Shape Shape(string name) => Deit.Gpu.Shape.Create(Dims(name));

    public float[] Floats(string name)
    {
        float[] values = new float[_file[name].ElementCount];
        _file.ReadFloats(_file[name], values);
        return values;
    }

    /// <summary>The values of an I64 tensor.</summary>
    public long[] Integers(string name) => MemoryMarshal.Cast<byte, long>(_file.Bytes(_file[name])).ToArray();

    public double[] Doubles(string name) => Array.ConvertAll(Floats(name), v => (double)v);

    /// <summary>Loads all tensors of the file into a model's parameters.</summary>
    public void Load(Parameters parameters) => ModelFolder.LoadWeights(parameters, _file, relative);

    /// <summary>The configuration in the metadata of a small model.</summary>
    public DeitConfig Config()
    {
        using JsonDocument json = JsonDocument.Parse(Metadata["config"]);
        int Number(string name) => json.RootElement.GetProperty(name).GetInt32();
        return new DeitConfig
        {
            InputSize = Number("image_size"),
            PatchSize = Number("patch_size"),
            EmbedDim = Number("embed_dim"),
            Depth = Number("depth"),
            NumHeads = Number("num_heads"),
            NumClasses = Number("num_classes"),
            Distilled = json.RootElement.GetProperty("distilled").GetBoolean(),
        };
    }

    public void Dispose() => _file.Dispose();
}
