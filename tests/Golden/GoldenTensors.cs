using System.Buffers.Binary;
using Deit.Gpu;
using Deit.Model.Files;

namespace Deit.Tests.Golden;

/// <summary>The tensors and parameters of one golden file.</summary>
internal sealed class GoldenTensors : IDisposable
{
    private readonly SafetensorsFile _file;

    /// <summary>Opens a file by its path inside the golden folder.</summary>
    public GoldenTensors(string relative) => _file = SafetensorsFile.Open(GoldenData.Path(relative));

    /// <summary>The parameters of the case.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _file.Metadata;

    /// <summary>The names of all tensors.</summary>
    public IEnumerable<string> Names => _file.Entries.Select(entry => entry.Name);

    public Shape Shape(string name) =>
        Deit.Gpu.Shape.Create(Array.ConvertAll(_file[name].Shape, extent => checked((int)extent)));

    public float[] Floats(string name)
    {
        float[] values = new float[_file[name].ElementCount];
        _file.ReadFloats(_file[name], values);
        return values;
    }

    /// <summary>A tensor of 64-bit integers.</summary>
    public long[] Integers(string name)
    {
        Assert.Equal(SafetensorsDType.I64, _file[name].DType);
        ReadOnlySpan<byte> bytes = _file.Bytes(_file[name]);
        long[] values = new long[_file[name].ElementCount];
        for (int i = 0; i < values.Length; i++)
            values[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes[(8 * i)..]);
        return values;
    }

    public void Dispose() => _file.Dispose();
}
