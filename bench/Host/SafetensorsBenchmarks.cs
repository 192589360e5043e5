using BenchmarkDotNet.Attributes;
using Deit.Model.Files;

namespace Deit.Bench.Host;

/// <summary>A checkpoint with the tensors of DeiT-Ti.</summary>
[MemoryDiagnoser]
public class SafetensorsBenchmarks
{
    private readonly string _folder = Directory.CreateTempSubdirectory("deit-bench-").FullName;
    private readonly float[] _values = new float[768 * 192];
    private SafetensorsSource[] _tensors = [];

    /// <summary>Element type of the weights, by its name, because generated code around this class does not see the type.</summary>
    [Params(nameof(SafetensorsDType.F32), nameof(SafetensorsDType.F16), nameof(SafetensorsDType.BF16))]
    public string DType { get; set; } = "";

    private SafetensorsDType Type => Enum.Parse<SafetensorsDType>(DType);

    private string FilePath => Path.Combine(_folder, "model.safetensors");

    [GlobalSetup]
    public void Setup()
    {
        (string Name, long[] Shape)[] block =
        [
            ("attn.qkv.weight", [576, 192]),
            ("attn.proj.weight", [192, 192]),
            ("mlp.fc1.weight", [768, 192]),
            ("mlp.fc2.weight", [192, 768]),
            ("attn.qkv.bias", [576]),
            ("attn.proj.bias", [192]),
            ("mlp.fc1.bias", [768]),
            ("mlp.fc2.bias", [192]),
            ("norm1.weight", [192]),
            ("norm2.weight", [192]),
        ];
        _tensors =
        [
            .. from i in Enumerable.Range(0, 12)
            from tensor in block
            let bytes = new byte[tensor.Shape.Aggregate((long)Type.ByteSize, (product, extent) => product * extent)]
            select SafetensorsSource.FromBytes($"blocks.{i}.{tensor.Name}", Type, tensor.Shape, bytes),
        ];
        SafetensorsWriter.Write(FilePath, _tensors);
    }

    [GlobalCleanup]
    public void Cleanup() => Directory.Delete(_folder, recursive: true);

    [Benchmark]
    public int Open()
    {
        using SafetensorsFile file = SafetensorsFile.Open(FilePath);
        return file.Entries.Count;
    }

    [Benchmark]
    public void OpenAndReadAll()
    {
        using SafetensorsFile file = SafetensorsFile.Open(FilePath);
        foreach (SafetensorsEntry entry in file.Entries)
            file.ReadFloats(entry, _values.AsSpan(0, (int)entry.ElementCount));
    }

    /// <summary>With the flush to disk that makes it safe.</summary>
    [Benchmark]
    public void Write() => SafetensorsWriter.Write(FilePath, _tensors);
}
