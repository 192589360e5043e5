using Deit.Gpu;

namespace Deit.Bench.Suites;

/// <summary>Zeroed tensors in an arena of their own.</summary>
internal sealed class BenchInputs : IDisposable
{
    private readonly GpuDevice _device;
    private readonly Arena _arena;
    private readonly Tensor[] _tensors;

    public BenchInputs(GpuDevice device, params Shape[] shapes)
    {
        _device = device;
        _arena = device.CreateArena("bench inputs", Arena.SizeOf(DType.F32, [.. shapes, [64], shapes[0]]));
        device.Fill(_arena.At(0, [(int)(_arena.ByteLength / 4)]));
        _tensors = [.. shapes.Select(shape => _arena.Allocate(shape))];
    }

    private BenchInputs(GpuDevice device, Arena arena, Tensor[] tensors) =>
        (_device, _arena, _tensors) = (device, arena, tensors);

    public Tensor this[int index] => _tensors[index];

    /// <summary>The same values in another type.</summary>
    public BenchInputs In(DType type)
    {
        Arena arena = _device.CreateArena("bench inputs", Arena.SizeOf(type, _tensors.Select(tensor => tensor.Shape)));
        Tensor[] copies = [.. _tensors.Select(tensor => arena.Allocate(tensor.Shape, type))];
        using Graph cast = _device.Record(r =>
        {
            for (int i = 0; i < copies.Length; i++)
                r.CastTo(_tensors[i], copies[i]);
        });
        cast.Run();
        return new BenchInputs(_device, arena, copies);
    }

    /// <summary>Fills the tensors with noise: a card multiplies zeros with less power, and so faster than any other numbers.</summary>
    public void Noise()
    {
        Random random = new(1);
        float[] pattern = [.. Enumerable.Range(0, 1 << 16).Select(_ => (float)random.NextDouble() - 0.5f)];
        foreach (Tensor tensor in _tensors)
        {
            float[] values = new float[tensor.Elements];
            for (int start = 0; start < values.Length; start += pattern.Length)
                pattern.AsSpan(0, Math.Min(pattern.Length, values.Length - start)).CopyTo(values.AsSpan(start));
            _device.Write<float>(tensor, values);
        }
    }

    public Tensor StepState() => Gpu.StepState.Allocate(_arena);

    public Tensor MixState() => Gpu.MixState.Allocate(_arena);

    public Tensor Labels(int count) => _arena.Allocate([count], DType.U32);

    public void Dispose() => _arena.Dispose();
}
