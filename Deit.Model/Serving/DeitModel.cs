using System.Buffers;
using System.Diagnostics;
using Deit.Gpu;
using Deit.Model.Images;
using Deit.Model.Serving;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Deit.Model;

/// <summary>
/// A trained model, ready to classify pictures. Thread-safe: pictures are prepared on the threads that call, and those
/// that wait when the device becomes free are computed together. Models on the same device share it. A device that is
/// lost, by a reset or an update of its driver, is opened anew together with the model, once for each call.
/// </summary>
/// <example><code>
/// using DeitModel model = DeitModel.Load("runs/shoes/best", new DeitModelOptions { CpuFallback = true });
/// Classification result = model.Classify("boot.jpg");
/// Console.WriteLine($"{result.Top.Label} {result.Top.Probability:p1}");
/// </code></example>
public sealed class DeitModel : IDeitModel
{
    private readonly ModelDescription _description;
    private readonly InferenceEngine _engine;
    private readonly ModelCalls _calls;

    private DeitModel(ModelDescription description, DeitModelOptions options, InferenceEngine engine) =>
        (_description, MaxBatchSize, _engine, _calls) = (
            description,
            options.MaxBatchSize,
            engine,
            new ModelCalls(description, options.HeadFusion, engine)
        );

    /// <summary>The device that computes; another one after a loss if the first is gone.</summary>
    public GpuInfo Device => ((LoadedModel)_engine.Latest).Device;

    /// <summary>The types of activations and of the residual stream in use.</summary>
    public Precision Precision => _engine.Latest.Precision;

    /// <inheritdoc/>
    public ModelBackend Backend => new("Vulkan", Device.Name, Precision.Name);

    /// <inheritdoc/>
    public IReadOnlyList<string> Labels => _description.Labels;

    /// <inheritdoc/>
    public ImageSize InputSize => _description.Config.InputSize;

    /// <inheritdoc/>
    public NetworkConfig Config => _description.Config;

    /// <inheritdoc/>
    public Preprocess Preprocess => _description.Preprocess;

    /// <inheritdoc/>
    public int MaxBatchSize { get; }

    /// <summary>Answers the calls, for tests.</summary>
    internal InferenceEngine Engine => _engine;

    /// <summary>True from the loss of the device until a call has opened it anew.</summary>
    internal bool IsLost => _engine.IsLost;

    /// <summary>True once it was disposed.</summary>
    internal bool IsDisposed => _engine.IsDisposed;

    /// <summary>Pictures that wait for the device.</summary>
    internal int QueueLength => _engine.QueueLength;

    /// <summary>Lends the memory of prepared pictures; tests count it.</summary>
    internal ArrayPool<float> Pool
    {
        get => _calls.Pool;
        set => _calls.Pool = value;
    }

    /// <summary>Bytes that all models hold on the device now.</summary>
    internal long AllocatedBytes => _engine.AllocatedBytes;

    /// <summary>Loads a model.</summary>
    /// <param name="path">
    /// A folder that training wrote, such as <c>RUN/best</c>: <c>config.json</c> and <c>model.safetensors</c>. Or
    /// <c>hf:OWNER/REPO</c>, with or without <c>@REVISION</c>: a model of the Hugging Face Hub, which is fetched into its cache once.
    /// </param>
    /// <param name="options">The device and how it is used; null for the best GPU and the defaults.</param>
    /// <exception cref="HubException">The model of the Hub cannot be had.</exception>
    /// <exception cref="DeitException">There is no model, or it is damaged.</exception>
    /// <exception cref="GpuException">There is no such device, no GPU and <see cref="DeitModelOptions.CpuFallback"/> is
    /// not set, or it has not enough memory.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static DeitModel Load(string path, DeitModelOptions? options = null) =>
        Load(path, options, progress: null, CancellationToken.None);

    /// <summary>Loads a model in the background.</summary>
    /// <param name="path">As of <see cref="Load(string, DeitModelOptions)"/>.</param>
    /// <param name="options">As of <see cref="Load(string, DeitModelOptions)"/>.</param>
    /// <param name="progress">Told the stage of loading, and how far a download is.</param>
    /// <param name="cancellationToken">Ends the loading; everything is given back. What was downloaded stays.</param>
    /// <exception cref="HubException">The model of the Hub cannot be had.</exception>
    /// <exception cref="DeitException">There is no model, or it is damaged.</exception>
    /// <exception cref="GpuException">There is no such device, no GPU and <see cref="DeitModelOptions.CpuFallback"/> is
    /// not set, or it has not enough memory.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Task<DeitModel> LoadAsync(
        string path,
        DeitModelOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default
    ) => Task.Run(() => Load(path, options, progress, cancellationToken), cancellationToken);

    private static DeitModel Load(
        string path,
        DeitModelOptions? options,
        IProgress<LoadProgress>? progress,
        CancellationToken cancellation
    )
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ModelTelemetry.Span span = ModelTelemetry.BeginLoad(path);
        try
        {
            DeitModel model = LoadUnmeasured(path, options, progress, cancellation);
            span.End(error: null);
            return model;
        }
        catch (Exception error)
        {
            span.End(error);
            throw;
        }
    }

    private static DeitModel LoadUnmeasured(
        string path,
        DeitModelOptions? options,
        IProgress<LoadProgress>? progress,
        CancellationToken cancellation
    )
    {
        DeitModelOptions chosen = (options ?? new DeitModelOptions()).Checked();
        ILogger logger = chosen.LoggerFactory is { } factory
            ? new QuietLogger(factory.CreateLogger<DeitModel>())
            : NullLogger.Instance;
        long start = Stopwatch.GetTimestamp();
        cancellation.ThrowIfCancellationRequested();
        LoadDownload download = new(logger, progress);
        string place = HubModels.Place(path, download, cancellation);
        Report(LoadStage.Description);
        // Read before a device is opened: a wrong folder is answered at once.
        using ModelSource source = ModelSource.Open(path, place);
        _ = source.Description;
        LoadedModel loaded = OnDevice(source, chosen, logger, Report);
        try
        {
            Report(LoadStage.Ready);
            EngineLog.Loaded(
                logger,
                path,
                loaded.Device.ToString(),
                loaded.Precision.Name,
                (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds
            );
            InferenceEngine engine = new(path, chosen, logger, loaded, OnDeviceAgain);
            return new DeitModel(loaded.Description, chosen, engine);
        }
        catch
        {
            loaded.Dispose();
            throw;
        }

        LoadedModel OnDeviceAgain()
        {
            using ModelSource again = ModelSource.Open(path, place);
            return OnDevice(again, chosen, logger, static _ => { });
        }

        void Report(LoadStage stage)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(download.Progress(stage));
        }
    }

    private static LoadedModel OnDevice(
        ModelSource source,
        DeitModelOptions options,
        ILogger logger,
        Action<LoadStage> stage
    )
    {
        (GpuInfo device, bool isFallback) = DeviceChoice.For(source.Path, options);
        if (isFallback)
            EngineLog.CpuFallback(logger, source.Path, device.ToString());
        (Precision precision, string? notice) = Model.Precision.For(device, options.Precision);
        if (notice is not null)
            EngineLog.PrecisionNotice(logger, notice);
        LoadedModel model = LoadedModel.Load(source, device, precision, options, stage);
        if (model.CacheNotice is { } cache)
            EngineLog.CacheNotice(logger, cache);
        return model;
    }

    /// <inheritdoc/>
    public Classification Classify(RgbImage image) => _calls.Classify(image);

    /// <inheritdoc/>
    public Task<Classification> ClassifyAsync(RgbImage image, CancellationToken cancellationToken = default) =>
        _calls.ClassifyAsync(image, cancellationToken);

    /// <inheritdoc/>
    public Embedding Embed(RgbImage image) => _calls.Embed(image);

    /// <inheritdoc/>
    public Task<Embedding> EmbedAsync(RgbImage image, CancellationToken cancellationToken = default) =>
        _calls.EmbedAsync(image, cancellationToken);

    /// <inheritdoc/>
    public ImageAttention ComputeAttention(RgbImage image) => _calls.ComputeAttention(image);

    /// <inheritdoc/>
    public Task<ImageAttention> ComputeAttentionAsync(RgbImage image, CancellationToken cancellationToken = default) =>
        _calls.ComputeAttentionAsync(image, cancellationToken);

    /// <summary>
    /// Gives everything back. Calls that wait fail with <see cref="ObjectDisposedException"/>; those being computed are
    /// answered, and the thread that calls this waits for them.
    /// </summary>
    public void Dispose() => _engine.Dispose();

    /// <summary>Gives everything back as <see cref="Dispose"/> does, without blocking a thread.</summary>
    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    /// <summary>Computes the logits [classes] of a picture, for tests and benches.</summary>
    internal float[] ComputeLogits(RgbImage image) => _calls.ComputeLogits(image);
}
