using System.Diagnostics;
using Deit.Model.Images;
using Deit.Model.Serving;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.OnnxRuntime;

namespace Deit.Model.OnnxRuntime;

/// <summary>
/// A trained model that ONNX Runtime computes: on the processor, without any Vulkan driver or loader, unless the caller
/// adds another execution provider. It takes the folders that <see cref="DeitModel"/> takes, prepares pictures in the same
/// way, and its logits differ by rounding alone. Thread-safe: pictures are prepared on the threads that call, and those
/// that wait when the runtime becomes free are computed together.
/// </summary>
/// <example><code>
/// using OnnxDeitModel model = OnnxDeitModel.Load("runs/shoes/best");
/// Classification result = model.Classify("boot.jpg");
/// Console.WriteLine($"{result.Top.Label} {result.Top.Probability:p1} by {model.Backend}");
/// </code></example>
public sealed class OnnxDeitModel : IDeitModel
{
    private readonly ModelDescription _description;
    private readonly InferenceEngine _engine;
    private readonly ModelCalls _calls;

    private OnnxDeitModel(ModelDescription description, DeitModelOptions options, InferenceEngine engine) =>
        (_description, MaxBatchSize, _engine, _calls) = (
            description,
            options.MaxBatchSize,
            engine,
            new ModelCalls(description, options.HeadFusion, engine)
        );

    /// <inheritdoc/>
    public ModelBackend Backend => new("ONNX Runtime", _engine.Latest.DeviceName, _engine.Latest.Precision.Name);

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

    /// <summary>Loads a model.</summary>
    /// <param name="path">As of <see cref="DeitModel.Load(string, DeitModelOptions)"/>.</param>
    /// <param name="options">
    /// How it is used; null for the defaults. What concerns Vulkan does not matter here, which is
    /// <see cref="DeitModelOptions.Device"/>, the fallback and <see cref="DeitModelOptions.KernelBudget"/>. Any
    /// <see cref="DeitModelOptions.Precision"/> computes in F32.
    /// </param>
    /// <param name="configureSession">
    /// Sets options of ONNX Runtime's session, and adds execution providers, such as
    /// <c>session => session.AppendExecutionProvider_CUDA()</c> with the package Microsoft.ML.OnnxRuntime.Gpu. Null for the
    /// processor with a thread for each core.
    /// </param>
    /// <exception cref="HubException">The model of the Hub cannot be had.</exception>
    /// <exception cref="DeitException">There is no model, or it is damaged, or ONNX Runtime cannot open it.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static OnnxDeitModel Load(
        string path,
        DeitModelOptions? options = null,
        Action<SessionOptions>? configureSession = null
    ) => Load(path, options, configureSession, progress: null, CancellationToken.None);

    /// <summary>Loads a model in the background.</summary>
    /// <param name="path">As of <see cref="Load(string, DeitModelOptions, Action{SessionOptions})"/>.</param>
    /// <param name="options">As of <see cref="Load(string, DeitModelOptions, Action{SessionOptions})"/>.</param>
    /// <param name="configureSession">As of <see cref="Load(string, DeitModelOptions, Action{SessionOptions})"/>.</param>
    /// <param name="progress">Told the stage of loading, and how far a download is.</param>
    /// <param name="cancellationToken">Ends the loading; everything is given back. What was downloaded stays.</param>
    /// <exception cref="HubException">The model of the Hub cannot be had.</exception>
    /// <exception cref="DeitException">There is no model, or it is damaged, or ONNX Runtime cannot open it.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Task<OnnxDeitModel> LoadAsync(
        string path,
        DeitModelOptions? options = null,
        Action<SessionOptions>? configureSession = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default
    ) => Task.Run(() => Load(path, options, configureSession, progress, cancellationToken), cancellationToken);

    private static OnnxDeitModel Load(
        string path,
        DeitModelOptions? options,
        Action<SessionOptions>? configureSession,
        IProgress<LoadProgress>? progress,
        CancellationToken cancellation
    )
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ModelTelemetry.Span span = ModelTelemetry.BeginLoad(path);
        try
        {
            OnnxDeitModel model = LoadUnmeasured(path, options, configureSession, progress, cancellation);
            span.End(error: null);
            return model;
        }
        catch (Exception error)
        {
            span.End(error);
            throw;
        }
    }

    private static OnnxDeitModel LoadUnmeasured(
        string path,
        DeitModelOptions? options,
        Action<SessionOptions>? configureSession,
        IProgress<LoadProgress>? progress,
        CancellationToken cancellation
    )
    {
        DeitModelOptions chosen = (options ?? new DeitModelOptions()).Checked();
        ILogger logger = chosen.LoggerFactory is { } factory
            ? new QuietLogger(factory.CreateLogger<OnnxDeitModel>())
            : NullLogger.Instance;
        long start = Stopwatch.GetTimestamp();
        cancellation.ThrowIfCancellationRequested();
        LoadDownload download = new(logger, progress);
        string place = HubModels.Place(path, download, cancellation);
        Report(LoadStage.Description);
        SessionModel model = Open();
        try
        {
            Report(LoadStage.Ready);
            EngineLog.Loaded(
                logger,
                path,
                $"ONNX Runtime, {model.DeviceName}",
                model.Precision.Name,
                (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds
            );
            return new OnnxDeitModel(model.Description, chosen, new(path, chosen, logger, model, Open));
        }
        catch
        {
            model.Dispose();
            throw;
        }

        SessionModel Open()
        {
            using ModelSource source = ModelSource.Open(path, place);
            return SessionModel.Open(source, configureSession, Report, cancellation);
        }

        void Report(LoadStage stage)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(download.Progress(stage));
        }
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
