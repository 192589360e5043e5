using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>
/// Copies of weights that no longer change, in the form in which kernels read them. A recording that is given them
/// (<see cref="GraphOptions.Fixed"/>) does not bring a weight into that form in each run: it does not round it to 16
/// bits, or lay it out anew. A copy is made when a recording first asks for it.
/// </summary>
public sealed class FixedWeights : IDisposable
{
    private readonly VulkanDevice _device;
    private readonly DeviceBuffer _buffer;
    private readonly Action<Action<Recorder>> _run;
    private readonly Lock _gate = new();
    private readonly Dictionary<
        (long Offset, string Form, DType Type, Shape Shape),
        (Arena Memory, Tensor Copy)
    > _copies = [];

    /// <summary>No copies yet.</summary>
    /// <param name="device">The device of the weights.</param>
    /// <param name="buffer">The memory in which all of them lie.</param>
    /// <param name="run">Records ops and runs them once.</param>
    internal FixedWeights(VulkanDevice device, DeviceBuffer buffer, Action<Action<Recorder>> run) =>
        (_device, _buffer, _run) = (device, buffer, run);

    /// <summary>Bytes of all copies.</summary>
    public long ByteLength
    {
        get
        {
            lock (_gate)
                return _copies.Values.Sum(copy => copy.Memory.ByteLength);
        }
    }

    /// <summary>Whether a tensor is one of the weights.</summary>
    internal bool Hold(Tensor tensor) => tensor.Storage is { Transient: false } storage && storage.Buffer == _buffer;

    /// <summary>A copy of a weight.</summary>
    /// <param name="weight">One of the weights.</param>
    /// <param name="form">What the copy is, in a few words: of one weight, each form has one copy.</param>
    /// <param name="shape">The shape of the copy.</param>
    /// <param name="type">Its type.</param>
    /// <param name="write">Records the ops that write the copy.</param>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    internal Tensor Copy(Tensor weight, string form, Shape shape, DType type, Action<Recorder, Tensor> write)
    {
        (long, string, DType, Shape) key = (weight.Storage.ByteOffset + weight.ByteOffset, form, type, shape);
        lock (_gate)
        {
            if (!_copies.TryGetValue(key, out (Arena Memory, Tensor Copy) known))
            {
                Arena memory = new(_device, $"{weight.Name} {form}", Arena.SizeOf(type, shape));
                try
                {
                    known = (memory, memory.Allocate(shape, type, weight.Name));
                    _run(r => write(r, known.Copy));
                }
                catch
                {
                    memory.Dispose();
                    throw;
                }
                _copies.Add(key, known);
            }
            return known.Copy;
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
