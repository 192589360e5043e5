using Deit.Gpu;
using Deit.Train.Data.Loading;

namespace Deit.Train.Training;

/// <summary>
/// Memory for one step's inputs on their way to the device: workers write the images and labels of a batch where they are read.
/// </summary>
internal sealed class UploadSlot : BatchMemory, IDisposable
{
    private readonly HostBuffer _buffer;
    private readonly UploadLayout _layout;

    /// <summary>Asks for the memory.</summary>
    /// <exception cref="GpuException">There is not enough of it.</exception>
    public UploadSlot(GpuDevice device, UploadLayout layout, int batchSize)
        : base(batchSize) => (_buffer, _layout) = (device.CreateHostBuffer(layout.ByteLength), layout);

    /// <inheritdoc/>
    public override Span<float> Images => _layout.Images.In<float>(_buffer.Floats());

    /// <inheritdoc/>
    public override Span<uint> Labels => _layout.Labels.In<uint>(_buffer.Floats());

    /// <summary>The numbers of the step.</summary>
    public ref StepState StepState => ref _layout.StepState.In<StepState>(_buffer.Floats())[0];

    /// <summary>How the batch is mixed.</summary>
    public ref MixState MixState => ref _layout.MixState.In<MixState>(_buffer.Floats())[0];

    /// <summary>[B, C]; empty where no logits are uploaded.</summary>
    public Span<float> TeacherLogits =>
        _layout.TeacherLogits is { } logits ? logits.In<float>(_buffer.Floats()) : default;

    /// <inheritdoc/>
    public override void WaitUntilFree() => _buffer.Floats();

    /// <summary>Queues the copy of all parts, after everything submitted so far.</summary>
    /// <param name="inputs">Begins with the parts of the layout.</param>
    public void Upload(Tensor inputs) => _buffer.CopyTo(inputs);

    /// <summary>Waits for the queued copy and gives the memory back.</summary>
    public void Dispose() => _buffer.Dispose();
}

/// <summary>
/// The upload slots of a step. A slot is lent again as soon as its step is queued, the one that was queued first before
/// the others. Its memory may be written once the device has the inputs, see <see cref="BatchMemory.WaitUntilFree"/>.
/// </summary>
internal sealed class UploadSlots : IBatchMemorySource, IDisposable
{
    /// <summary>One is submitted while two are being filled.</summary>
    private const int Count = 3;
    private readonly UploadSlot[] _slots = new UploadSlot[Count];
    private readonly Queue<UploadSlot> _free = [];
    private readonly Lock _gate = new();

    /// <summary>Asks for the memory.</summary>
    /// <exception cref="GpuException">There is not enough of it.</exception>
    public UploadSlots(GpuDevice device, UploadLayout layout, int batchSize)
    {
        try
        {
            for (int i = 0; i < Count; i++)
                _free.Enqueue(_slots[i] = new UploadSlot(device, layout, batchSize));
        }
        catch
        {
            Dispose();
            throw;
        }
        ByteLength = Count * layout.ByteLength;
    }

    /// <summary>Bytes of all slots.</summary>
    public long ByteLength { get; }

    /// <inheritdoc/>
    public BatchMemory Rent() => RentSlot();

    /// <inheritdoc cref="Rent"/>
    public UploadSlot RentSlot()
    {
        lock (_gate)
            return _free.TryDequeue(out UploadSlot? slot)
                ? slot
                : throw new InvalidOperationException(
                    $"A batch was begun while all {Count} upload slots are in use; dispose a batch before taking the next."
                );
    }

    /// <inheritdoc/>
    public void Return(BatchMemory memory)
    {
        lock (_gate)
            _free.Enqueue((UploadSlot)memory);
    }

    /// <summary>Waits for queued copies and gives the memory back.</summary>
    public void Dispose()
    {
        foreach (UploadSlot? slot in _slots)
            slot?.Dispose();
    }
}
