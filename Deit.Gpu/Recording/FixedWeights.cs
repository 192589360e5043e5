using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>
/// Copies of weights that no longer change, in the form in which kernels read them. A recording that is given them
/// (<see cref="GraphOptions.Fixed"/>) does not bring a weight into that form in each run: it does not round it to 16
/// bits, or lay it out anew. A copy is made when a recording first asks for it,
/// and all that a recording asked for are written at once when it ends.
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
    private readonly List<Action<Recorder>> _unwritten = [];

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
                Tensor copy = memory.Allocate(shape, type, weight.Name);
                _copies.Add(key, known = (memory, copy));
                _unwritten.Add(r => write(r, copy));
            }
            return known.Copy;
        }
    }

    /// <summary>Writes the copies that recordings asked for. Whoever makes a graph of a recording calls it before the graph runs.</summary>
    /// <exception cref="GpuException">The device has not enough memory or was lost; a later call tries again.</exception>
    internal void Write()
    {
        lock (_gate)
        {
            if (_unwritten.Count == 0)
                return;
            _run(r => _unwritten.ForEach(write => write(r)));
            _unwritten.Clear();
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
            _unwritten.Clear();
        }
    }
}
