using Deit.Gpu;

namespace Deit.Model.Serving;

/// <summary>
/// A model on a device: weights, and a recorded forward pass for each batch size in use. Used by one thread at a time.
/// It is lost with its device, and then made anew from its path.
/// </summary>
internal sealed class LoadedModel : ILoadedModel
{
    private readonly SharedDevice _shared;
    private readonly INetwork _network;
    private readonly int[] _batchSizes;
    private readonly Dictionary<int, Inference> _inferences = [];
    private Inference? _first;
    private int _largest;

    private LoadedModel(
        SharedDevice shared,
        INetwork network,
        ModelDescription description,
        Precision precision,
        int maxBatchSize
    )
    {
        (_shared, _network, Description, Precision) = (shared, network, description, precision);
        _batchSizes = [.. BatchSizes(maxBatchSize)];
    }

    public ModelDescription Description { get; }

    /// <summary>The types of activations and of the residual stream in use.</summary>
    public Precision Precision { get; }

    public GpuInfo Device => _shared.Device.Info;

    /// <inheritdoc/>
    GpuInfo? ILoadedModel.Gpu => Device;

    /// <inheritdoc/>
    public string DeviceName => Device.ToString();

    /// <summary>A sentence where what is compiled for the device cannot be kept; null where all is well.</summary>
    public string? CacheNotice => _shared.Device.CacheNotice;

    /// <summary>Bytes that all users of the device hold there.</summary>
    public long AllocatedBytes => _shared.Device.AllocatedBytes;

    /// <summary>True once this or another model has met the loss of the device.</summary>
    public bool Lost => _shared.Lost;

    /// <summary>Loads a model, ready for single pictures.</summary>
    /// <param name="source">The model on disk.</param>
    /// <param name="device">The device.</param>
    /// <param name="precision">The types, which the device has.</param>
    /// <param name="options">The largest batch, and the time for measuring kernels.</param>
    /// <param name="progress">Called when a stage begins; an exception from it ends the loading.</param>
    /// <exception cref="DeitException">The path holds no model, or a damaged one.</exception>
    /// <exception cref="GpuException">The device cannot be opened, was lost, or has not enough memory.</exception>
    public static LoadedModel Load(
        ModelSource source,
        GpuInfo device,
        Precision precision,
        DeitModelOptions options,
        Action<LoadStage> progress
    )
    {
        progress(LoadStage.Device);
        SharedDevice shared = SharedDevice.Acquire(device, options.KernelBudget);
        INetwork? network = null;
        LoadedModel? model = null;
        try
        {
            progress(LoadStage.Weights);
            network = source.Load(shared.Device);
            network.Parameters.Freeze();
            progress(LoadStage.Kernels);
            model = new LoadedModel(shared, network, source.Description, precision, options.MaxBatchSize);
            model.InferenceOf(1);
            return model;
        }
        catch (Exception error)
        {
            if (error is GpuException { Reason: GpuErrorKind.DeviceLost })
                shared.MarkLost();
            if (model is not null)
                model.Dispose();
            else
            {
                network?.Dispose();
                shared.Release();
            }
            throw;
        }
    }

    /// <summary>Computes a batch of waiting requests and answers them.</summary>
    /// <param name="waiting">Requests for logits or features.</param>
    /// <returns>How many were computed, and the size of their batch.</returns>
    /// <exception cref="GpuException">The device was lost or has not enough memory; nothing was answered.</exception>
    public (int Count, int BatchSize) Answer(ReadOnlySpan<Request> waiting)
    {
        int batchSize = BatchSizeFor(waiting.Length),
            count = Math.Min(batchSize, waiting.Length);
        Inference inference = InferenceOf(batchSize);
        for (int i = 0; i < count; i++)
            inference.Write(i, waiting[i].Pixels);
        HeadLogits logits = inference.Run(count);
        bool anyFeatures = false;
        foreach (Request request in waiting[..count])
            anyFeatures |= request.Wanted == Wanted.Features;
        float[] features = anyFeatures ? inference.Observed("norm") : [];
        int classes = _network.Config.NumClasses,
            width = features.Length / batchSize;
        for (int i = 0; i < count; i++)
            waiting[i]
                .Complete(
                    new Answer(
                        new HeadLogits(
                            logits.Class[(i * classes)..((i + 1) * classes)],
                            logits.Distillation?[(i * classes)..((i + 1) * classes)]
                        ),
                        waiting[i].Wanted == Wanted.Features ? features[(i * width)..((i + 1) * width)] : null,
                        Attention: null
                    )
                );
        return (count, batchSize);
    }

    /// <summary>Answers with the attention of all layers.</summary>
    /// <exception cref="GpuException">The device was lost or has not enough memory.</exception>
    public void AnswerAttention(Request request) =>
        request.Complete(
            new Answer(Logits: null, Features: null, AttentionMaps.Of(_shared.Device, _network, request.Pixels))
        );

    /// <summary>Says that the device is lost, to all models on it.</summary>
    public void MarkLost() => _shared.MarkLost();

    public void Dispose()
    {
        DropInferences();
        _network.Dispose();
        _shared.Release();
    }

    /// <summary>1, 2, 4, ... and the largest.</summary>
    internal static IEnumerable<int> BatchSizes(int maxBatchSize)
    {
        for (int size = 1; size < maxBatchSize; size *= 2)
            yield return size;
        yield return maxBatchSize;
    }

    // A GPU computes a batch that is not full in about the time of a full one. A CPU driver takes time for each place:
    // there a batch is full, and the other requests wait for the next.
    private int BatchSizeFor(int waiting) =>
        Device.Type == GpuType.Cpu
            ? _batchSizes.Last(size => size <= waiting)
            : _batchSizes.FirstOrDefault(size => size >= waiting, _batchSizes[^1]);

    // A forward pass is recorded when it is first needed. All run one after another, so that the largest lends its
    // memory to the others. When a larger one comes, those before it are recorded again in its memory, which costs
    // milliseconds once.
    private Inference InferenceOf(int batchSize)
    {
        if (_inferences.TryGetValue(batchSize, out Inference? known))
            return known;
        if (batchSize > _largest)
            DropInferences();
        Graph? lender = _largest == 0 ? null : _inferences[_largest].Graph;
        Inference inference = new(
            _shared.Device,
            _network,
            batchSize,
            lender,
            Precision,
            KernelsFor(batchSize),
            static (_, name, tensor) => name == "norm" ? tensor : null
        );
        _first ??= inference;
        _inferences.Add(batchSize, inference);
        _largest = Math.Max(_largest, batchSize);
        return inference;
    }

    // The answer for a picture must not depend on the other pictures in its batch. The products for narrow subgroups
    // differ in the way they group their sums, so that all batches run those that are the fastest for one picture. All
    // other products add an element's terms one by one with every size of tile.
    private Inference? KernelsFor(int batchSize) => batchSize > 1 && Device.SubgroupSize < 32 ? _first : null;

    private void DropInferences()
    {
        // The forward pass that lends its memory goes last.
        foreach ((_, Inference inference) in _inferences.OrderBy(pair => pair.Key))
            inference.Dispose();
        _inferences.Clear();
        _largest = 0;
    }
}
