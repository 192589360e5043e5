using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>
/// 16-bit copies of weights that no longer change. A recording that is given them (<see cref="GraphOptions.Rounded"/>)
/// reads two bytes a weight in each run. Without them it would read four, write two and read those. A copy is made when
/// a recording first asks for it.
/// </summary>
public sealed class RoundedWeights : IDisposable
{
    private readonly VulkanDevice _device;
    private readonly Action<Tensor, Tensor> _round;
    private readonly Lock _gate = new();
    private readonly Dictionary<(Storage, long, DType), (Arena Memory, Tensor Copy)> _copies = [];

    /// <summary>No copies yet.</summary>
    /// <param name="device">The device of the weights.</param>
    /// <param name="round">Rounds the first tensor to the type of the second, onto it.</param>
    internal RoundedWeights(VulkanDevice device, Action<Tensor, Tensor> round) => (_device, _round) = (device, round);

    /// <summary>Bytes of all copies.</summary>
    public long ByteLength
    {
        get
        {
            lock (_gate)
                return _copies.Values.Sum(copy => copy.Memory.ByteLength);
        }
    }

    /// <summary>The copy of a weight.</summary>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    internal Tensor Of(Tensor weight, DType type)
    {
        lock (_gate)
        {
            (Storage, long, DType) key = (weight.Storage, weight.ByteOffset, type);
            if (!_copies.TryGetValue(key, out (Arena Memory, Tensor Copy) known))
            {
                Arena memory = new(_device, $"{weight.Name} in {type}", Arena.SizeOf(type, weight.Shape));
                try
                {
                    known = (memory, memory.Allocate(weight.Shape, type, weight.Name));
                    _round(weight, known.Copy);
                }
                catch
                {
                    memory.Dispose();
                    throw;
                }
                _copies.Add(key, known);
            }
            return known.Copy.Shape == weight.Shape ? known.Copy : known.Copy.View(weight.Shape);
        }
    }

    /// <summary>Gives the memory back; recordings that read the copies must not be run any more.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach ((Arena memory, _) in _copies.Values)
                memory.Dispose();
            _copies.Clear();
        }
    }
}
