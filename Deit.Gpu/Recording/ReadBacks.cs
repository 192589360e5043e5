using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>
/// Tensors that the host reads while their graph still runs. The graph is submitted in parts, one of which ends behind the
/// last dispatch that writes such a tensor. Where the host is slow to read the device's memory, or does not see it, that
/// part copies the tensor to memory of the host.
/// </summary>
internal sealed unsafe class ReadBacks : IDisposable
{
    private readonly VulkanDevice _device;
    private readonly Tensor[] _tensors;
    private readonly int[] _ends; // one for each tensor: dispatches of the graph that must have run
    private readonly long[] _offsets; // of each tensor in the memory of the host
    private readonly MemoryBlock? _host; // null where the host reads the tensors where they are

    /// <summary>Finds where the parts end, and asks for the memory.</summary>
    /// <param name="device">The device.</param>
    /// <param name="dispatches">The dispatches of the graph.</param>
    /// <param name="options">Name the tensors.</param>
    /// <exception cref="GpuException">There is not enough memory.</exception>
    public ReadBacks(VulkanDevice device, IReadOnlyList<Dispatch> dispatches, GraphOptions options)
    {
        _device = device;
        _tensors = [.. options.ReadBack];
        _ends = [.. _tensors.Select(tensor => EndOf(tensor, dispatches))];
        _offsets = new long[_tensors.Length];
        if (_tensors.Length == 0)
            return;
        long bytes = 0;
        for (int i = 0; i < _tensors.Length; i++)
        {
            _offsets[i] = bytes;
            bytes += Storage.Align(_tensors[i].ByteLength);
        }
        bool isSeen = device.Memory.HostCached && _tensors.All(tensor => tensor.Buffer.Block.Mapped != null);
        if (!isSeen || options.CopiesReadBack)
            _host = device.Memory.CreateHostVisible(bytes);
    }

    /// <summary>Where the parts of the graph end, in order: a number of dispatches each. The end of the graph is not among them.</summary>
    public IEnumerable<int> Ends => _ends.Distinct().Order();

    /// <summary>How many dispatches must have run before a tensor can be read.</summary>
    public int EndOf(int index) => _ends[index];

    /// <summary>The copies that end the parts; none where the host reads the tensors where they are.</summary>
    public IEnumerable<HostCopy> Copies
    {
        get
        {
            for (int i = 0; _host is not null && i < _tensors.Length; i++)
                yield return new HostCopy(
                    _ends[i],
                    _tensors[i].Buffer.Block,
                    _tensors[i].Buffer.Offset + _tensors[i].BufferOffset,
                    _host,
                    _offsets[i],
                    _tensors[i].ByteLength
                );
        }
    }

    /// <summary>The values of a tensor, once its part has run.</summary>
    public ReadOnlySpan<float> Values(int index)
    {
        Tensor tensor = _tensors[index];
        if (!_device.Runs)
            return new float[tensor.Elements];
        byte* start = _host is not null
            ? _host.Mapped + _offsets[index]
            : tensor.Buffer.Block.Mapped + tensor.Buffer.Offset + tensor.BufferOffset;
        return new ReadOnlySpan<float>(start, checked((int)tensor.Elements));
    }

    /// <summary>Gives the memory back; the device must be idle.</summary>
    public void Dispose()
    {
        if (_host is not null)
            _device.Memory.DestroyHandles(_host);
    }

    private static int EndOf(Tensor tensor, IReadOnlyList<Dispatch> dispatches)
    {
        if (tensor.Storage.Transient || tensor.DType != DType.F32)
            throw new ArgumentException($"Reading back {tensor}: expected a tensor of F32 in an arena.");
        for (int i = dispatches.Count; i > 0; i--)
            foreach (Binding binding in dispatches[i - 1].Bindings)
                if ((binding.Access & Access.Write) != 0 && Overlap(binding.Tensor, tensor))
                    return i;
        return 1; // nothing writes it: any part will do
    }

    private static bool Overlap(Tensor one, Tensor other) =>
        ReferenceEquals(one.Storage.Buffer?.Block, other.Buffer.Block)
        && one.Buffer.Offset + one.BufferOffset < other.Buffer.Offset + other.BufferOffset + other.ByteLength
        && other.Buffer.Offset + other.BufferOffset < one.Buffer.Offset + one.BufferOffset + one.ByteLength;
}
