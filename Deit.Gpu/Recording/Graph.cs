using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>A recorded computation: planned and encoded once, run many times. Owns the memory of the tensors inside it.</summary>
public sealed class Graph : IDisposable
{
    private readonly VulkanDevice _device;
    private readonly VulkanGraph _encoded;
    private readonly DeviceBuffer[] _blocks;
    private readonly bool _ownsBlocks;
    private readonly DeviceBuffer[] _arenas; // of tensors that live outside the graph
    private readonly ReadBacks _readBacks;
    private int _rearranged; // ranges of them that had taken the order of a kernel when they were last looked at
    private bool _disposed;

    internal Graph(VulkanDevice device, Recorder recorder, GraphOptions options)
    {
        (_device, Choices) = (device, recorder.Choices);
        Dispatches = [.. recorder.Dispatches];
        if (Dispatches.Count == 0)
            throw new InvalidOperationException("A graph without dispatches was recorded; record at least one op.");
        _arenas =
        [
            .. Dispatches
                .SelectMany(dispatch => dispatch.Bindings)
                .Select(binding => binding.Tensor.Storage)
                .Where(storage => !storage.Transient)
                .Select(storage => storage.Buffer!)
                .Distinct(),
        ];
        _rearranged = _arenas.Sum(buffer => buffer.RearrangedRanges);
        (Storage[] storages, MemoryPlan.Lifetime[] lifetimes) = Lifetimes(Dispatches, recorder.Kept);
        // At this point nothing has a place yet: these barriers stand where values pass from one dispatch to another.
        lifetimes = MemoryPlan.ToBarriers(lifetimes, BarrierPlan.Create([.. Dispatches.Select(Ranges)]));
        MemoryPlan plan = MemoryPlan.Create(lifetimes, device.Info.MaxAllocationBytes, options.GuardBytes);
        (PlannedBytes, LiveBytes) = (plan.PlannedBytes, plan.LiveBytes);
        List<DeviceBuffer> blocks = [];
        try
        {
            _ownsBlocks = options.Borrow is not { } lender || !Fits(plan.BlockBytes, lender._blocks);
            if (_ownsBlocks)
                foreach (long bytes in plan.BlockBytes)
                    blocks.Add(device.Memory.Allocate(bytes, options.Purpose));
            _blocks = _ownsBlocks ? [.. blocks] : options.Borrow!._blocks;
            if (options.Poison is uint pattern)
                foreach (DeviceBuffer block in _blocks)
                    device.Transfers.Fill(block, 0, block.ByteLength, pattern);
            for (int i = 0; i < storages.Length; i++)
                storages[i].Place(_blocks[plan.Places[i].Block], plan.Places[i].Offset);
            bool[] barriers = BarrierPlan.Create([.. Dispatches.Select(Ranges)]);
            BarrierBefore = barriers;
            _readBacks = new ReadBacks(device, Dispatches, options);
            _encoded = new VulkanGraph(
                device,
                [.. Dispatches.Select(dispatch => dispatch.ToLaunch())],
                barriers,
                _readBacks.Ends,
                [.. _readBacks.Copies]
            );
        }
        catch
        {
            _readBacks?.Dispose();
            foreach (DeviceBuffer block in blocks)
                block.Dispose();
            throw;
        }
        if (VulkanInstance.ValidationEnabled)
            VulkanInstance.ThrowOnMessages();
    }

    /// <summary>The launches of the graph, in order.</summary>
    public IReadOnlyList<Dispatch> Dispatches { get; }

    /// <summary>Bytes that the tensors inside the graph take.</summary>
    public long PlannedBytes { get; }

    /// <summary>The most bytes that are alive at one dispatch: no plan could take less.</summary>
    public long LiveBytes { get; }

    /// <summary>True at each dispatch that waits for all before it.</summary>
    internal IReadOnlyList<bool> BarrierBefore { get; }

    /// <summary>Submits the graph after everything submitted before, and returns at once.</summary>
    /// <exception cref="GpuException">The device was lost.</exception>
    public void Submit()
    {
        BeforeRun();
        _encoded.Submit();
    }

    /// <summary>Runs the graph and waits for its end.</summary>
    /// <exception cref="GpuException">The device was lost.</exception>
    public void Run()
    {
        BeforeRun();
        _device.Queue.Wait(_encoded.Submit());
    }

    /// <summary>
    /// Waits until the run submitted last has written a tensor of <see cref="GraphOptions.ReadBack"/>. The rest of the graph
    /// may still run.
    /// </summary>
    /// <param name="index">Which of them.</param>
    /// <returns>Its values, which hold until the next run.</returns>
    /// <exception cref="GpuException">The device was lost.</exception>
    internal ReadOnlySpan<float> ReadBack(int index)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _device.Queue.Wait(_encoded.DoneAt(_readBacks.EndOf(index)));
        return _readBacks.Values(index);
    }

    /// <summary>How many dispatches must have run before a tensor of <see cref="GraphOptions.ReadBack"/> can be read.</summary>
    internal int EndOfReadBack(int index) => _readBacks.EndOf(index);

    /// <summary>Runs the graph once with every dispatch timed alone.</summary>
    public GraphProfile Profile()
    {
        BeforeRun();
        return new GraphProfile(Dispatches, _encoded.Profile());
    }

    // A weight that took the order of a kernel since the recording would be read as if it had not: see FixedWeights.
    private void BeforeRun()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int rearranged = _arenas.Sum(buffer => buffer.RearrangedRanges);
        if (rearranged == _rearranged)
            return;
        foreach (Dispatch dispatch in Dispatches)
        foreach (Binding binding in dispatch.Bindings)
            if (binding.Tensor.IsDisplaced)
                throw new InvalidOperationException(
                    $"Running a graph that reads {binding.Tensor}: the weight took the order of a kernel since the graph was recorded; "
                        + "record it again with the GraphOptions.Fixed of these weights."
                );
        _rearranged = rearranged;
    }

    internal ChoiceSequence Choices { get; }

    /// <summary>The blocks with tensors and the guards between them, for tests.</summary>
    internal IReadOnlyList<DeviceBuffer> Blocks => _blocks;

    /// <summary>Waits for the device and gives the memory back.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _device.Queue.WaitIdleQuietly();
        _encoded.Dispose();
        _readBacks.Dispose();
        if (_ownsBlocks)
            foreach (DeviceBuffer block in _blocks)
                block.Dispose();
    }

    private static bool Fits(long[] needed, DeviceBuffer[] blocks) =>
        needed.Length <= blocks.Length && needed.Zip(blocks).All(pair => pair.First <= pair.Second.ByteLength);

    private static (Storage[], MemoryPlan.Lifetime[]) Lifetimes(
        IReadOnlyList<Dispatch> dispatches,
        IReadOnlyList<Tensor> keep
    )
    {
        Dictionary<Storage, int> index = [];
        List<MemoryPlan.Lifetime> lifetimes = [];
        for (int i = 0; i < dispatches.Count; i++)
            foreach (Binding binding in dispatches[i].Bindings)
            {
                Storage storage = binding.Tensor.Storage;
                if (!storage.Transient)
                    continue;
                if (storage.Buffer is not null)
                    throw new InvalidOperationException(
                        $"{binding.Tensor} belongs to another graph; pass values between graphs through an arena."
                    );
                if (index.TryGetValue(storage, out int known))
                    lifetimes[known] = lifetimes[known] with { Last = i };
                else
                {
                    if ((binding.Access & Access.Read) != 0)
                        throw new InvalidOperationException(
                            $"{dispatches[i].Label} reads {binding.Tensor} before anything wrote it."
                        );
                    index.Add(storage, lifetimes.Count);
                    lifetimes.Add(new MemoryPlan.Lifetime(storage.ByteLength, i, i));
                }
            }
        foreach (Tensor tensor in keep)
            if (index.TryGetValue(tensor.Storage, out int kept))
                lifetimes[kept] = lifetimes[kept] with { Last = dispatches.Count - 1 };
        return ([.. index.Keys], [.. lifetimes]);
    }

    // A range is named by the block that its storage lies in, or by the storage itself as long as it has no place.
    private static BarrierPlan.Range[] Ranges(Dispatch dispatch) =>
        [
            .. dispatch.Bindings.Select(b =>
            {
                Storage storage = b.Tensor.Storage;
                long start =
                    b.Tensor.ByteOffset + (storage.Buffer is { } buffer ? buffer.Offset + storage.ByteOffset : 0);
                return new BarrierPlan.Range(
                    storage.Buffer?.Block ?? (object)storage,
                    start,
                    start + b.Tensor.ByteLength,
                    b.Access
                );
            }),
        ];
}
