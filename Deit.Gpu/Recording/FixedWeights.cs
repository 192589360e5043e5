using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>
/// Weights that no longer change, in the form in which kernels read them. A recording that is given them
/// (<see cref="GraphOptions.Fixed"/>) does not bring a weight into that form in each run: it does not round it to 16
/// bits, or lay it out anew. A form is made when a recording first asks for it, and all that a recording asked for are
/// made at once when it ends.
/// </summary>
/// <remarks>
/// A form is a copy beside the weight. Where the weights may be rearranged, a form of the same size takes the weight's
/// own place instead, unless a recording has read the weight as it is. A recording that wants it as it was later gets a
/// copy of that. What knows nothing of the forms is refused: recordings and runs of graphs without them, and reads and
/// writes by the host.
/// </remarks>
public sealed class FixedWeights : IDisposable
{
    private readonly VulkanDevice _device;
    private readonly DeviceBuffer _buffer;
    private readonly Action<Action<Recorder>> _run;
    private readonly bool _mayRearrange;
    private readonly Lock _gate = new();
    private readonly Dictionary<
        (long Start, long End, string Form, DType Type, Shape Shape),
        (Arena Memory, Tensor Copy)
    > _copies = [];
    private readonly List<Rearranged> _rearranged = [];
    private readonly List<(long Start, long End)> _readAsTheyAre = [];
    private readonly List<Action<Recorder>> _unwritten = [];
    private bool _disposed;

    /// <summary>No forms yet.</summary>
    /// <param name="device">The device of the weights.</param>
    /// <param name="buffer">The memory in which all of them lie.</param>
    /// <param name="run">Records ops and runs them once.</param>
    /// <param name="mayRearrange">Whether a form may take the place of a weight.</param>
    internal FixedWeights(
        VulkanDevice device,
        DeviceBuffer buffer,
        Action<Action<Recorder>> run,
        bool mayRearrange = false
    ) => (_device, _buffer, _run, _mayRearrange) = (device, buffer, run, mayRearrange);

    /// <summary>Bytes that the forms take beside the weights.</summary>
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

    /// <summary>A form of a weight.</summary>
    /// <param name="weight">One of the weights.</param>
    /// <param name="form">What the form is, in a few words: a weight has it once.</param>
    /// <param name="shape">The shape of the form.</param>
    /// <param name="type">Its type.</param>
    /// <param name="write">Records the ops that make the form (its last argument) from the weight.</param>
    /// <param name="undo">Records the ops that make the weight from the form; null where that cannot be.</param>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The forms were given back.</exception>
    internal Tensor In(
        Tensor weight,
        string form,
        Shape shape,
        DType type,
        Action<Recorder, Tensor, Tensor> write,
        Action<Recorder, Tensor, Tensor>? undo = null
    )
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            (long start, long end) = RangeOf(weight);
            if (
                _rearranged.Find(r => r.Start == start && r.End == end && r.Form == form && r.Now.Shape == shape) is
                { } known
            )
                return known.Now;
            bool isFree = !Overlaps(_readAsTheyAre, start, end) && !_rearranged.Exists(r => r.Overlaps(start, end));
            bool isAsLarge = shape.Elements * type.Size() == end - start && type == weight.DType;
            return _mayRearrange && undo is not null && isAsLarge && isFree && start % Storage.Alignment == 0
                ? Rearrange(weight, form, shape, write, undo)
                : Copy(weight, form, shape, type, write);
        }
    }

    /// <summary>A tensor as a recording is to bind it: where a form took its place, a copy of what was there.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="access">How the kernel touches it.</param>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    /// <exception cref="InvalidOperationException">A form took the place of a part of the tensor, or the kernel writes it.</exception>
    internal Tensor AsItWas(Tensor tensor, Access access = Access.Read)
    {
        if (!Hold(tensor) || tensor.Storage.IsRearranged)
            return tensor;
        if (_mayRearrange && access.HasFlag(Access.Write))
            throw new InvalidOperationException(
                $"Recording a kernel that writes {tensor}: it was promised not to change; write it before its weights are fixed."
            );
        lock (_gate)
        {
            (long start, long end) = RangeOf(tensor);
            if (_rearranged.Find(r => r.Overlaps(start, end)) is not { } rearranged)
            {
                if (!_readAsTheyAre.Contains((start, end)))
                    _readAsTheyAre.Add((start, end));
                return tensor;
            }
            if (start < rearranged.Start || end > rearranged.End)
                throw new InvalidOperationException(
                    $"Recording {tensor}: {rearranged.Now.Name ?? "a weight"} {rearranged.Shape}, which it overlaps, lies in the "
                        + "order of a kernel; read that by itself."
                );
            Tensor whole = rearranged.Now,
                copy = Copy(whole, "as it was", rearranged.Shape, whole.DType, rearranged.Undo);
            return copy.Slice((start - rearranged.Start) / whole.DType.Size(), tensor.Shape);
        }
    }

    /// <summary>Makes the forms that recordings asked for. Whoever makes a graph of a recording calls it before the graph runs.</summary>
    /// <exception cref="GpuException">The device has not enough memory or was lost; a later call tries again.</exception>
    internal void Write()
    {
        lock (_gate)
        {
            if (_unwritten.Count == 0)
                return;
            _run(r => _unwritten.ForEach(write => write(r)));
            _unwritten.Clear();
            foreach (Rearranged rearranged in _rearranged)
                _buffer.Rearrange(rearranged.Start, rearranged.End);
        }
    }

    /// <summary>
    /// Gives the memory of the copies back; recordings that read them must not be run any more. Weights whose place a form
    /// took keep that order, and nothing can read them any more.
    /// </summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach ((Arena memory, _) in _copies.Values)
                memory.Dispose();
            _copies.Clear();
            _unwritten.Clear();
            _disposed = true;
        }
    }

    private Tensor Copy(Tensor weight, string form, Shape shape, DType type, Action<Recorder, Tensor, Tensor> write)
    {
        (long start, long end) = RangeOf(weight);
        (long, long, string, DType, Shape) key = (start, end, form, type, shape);
        if (!_copies.TryGetValue(key, out (Arena Memory, Tensor Copy) known))
        {
            Tensor from = AsItWas(weight);
            Arena memory = new(_device, $"{weight.Name} {form}", Arena.SizeOf(type, shape));
            Tensor copy = memory.Allocate(shape, type, weight.Name);
            _copies.Add(key, known = (memory, copy));
            _unwritten.Add(r => write(r, from, copy));
        }
        return known.Copy;
    }

    private Tensor Rearrange(
        Tensor weight,
        string form,
        Shape shape,
        Action<Recorder, Tensor, Tensor> write,
        Action<Recorder, Tensor, Tensor> undo
    )
    {
        (long start, long end) = RangeOf(weight);
        Storage place = new(end - start, transient: false) { IsRearranged = true };
        place.Place(_buffer, start);
        Tensor now = new(place, 0, shape, weight.DType, weight.Name);
        _rearranged.Add(new Rearranged(start, end, form, weight.Shape, now, undo));
        _unwritten.Add(r =>
        {
            Tensor was = r.Empty(weight.Shape, weight.DType);
            r.Copy(weight, was);
            write(r, was, now);
        });
        return now;
    }

    private static (long Start, long End) RangeOf(Tensor tensor)
    {
        long start = tensor.Storage.ByteOffset + tensor.ByteOffset;
        return (start, start + tensor.ByteLength);
    }

    private static bool Overlaps(List<(long Start, long End)> ranges, long start, long end) =>
        ranges.Exists(range => range.Start < end && start < range.End);

    // A weight whose place a form took.
    private sealed record Rearranged(
        long Start,
        long End,
        string Form,
        Shape Shape,
        Tensor Now,
        Action<Recorder, Tensor, Tensor> Undo
    )
    {
        public bool Overlaps(long start, long end) => Start < end && start < End;
    }
}
