using Deit.Model.Images;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Deit.Model.Serving;

/// <summary>
/// The model of a container, which is there before it is loaded. Loading begins once, in the background. Calls that are
/// asynchronous wait for it without a thread; the others and the properties block. A load that failed stays failed.
/// </summary>
internal sealed class HostedModel : IDeitModel
{
    private readonly Func<DeitModelOptions> _options;
    private readonly Lazy<Task<IDeitModel>> _loading;
    private readonly CancellationTokenSource _stop = new();
    private int _disposed;

    /// <summary>Describes what is to be loaded.</summary>
    /// <param name="options">Gives the options, the path among them; called when loading begins.</param>
    public HostedModel(Func<DeitModelOptions> options)
    {
        _options = options;
        _loading = new Lazy<Task<IDeitModel>>(() =>
        {
            // Loading is nobody's call: it goes on when the one that asked first is done.
            bool suppresses = !ExecutionContext.IsFlowSuppressed();
            AsyncFlowControl flow = suppresses ? ExecutionContext.SuppressFlow() : default;
            Task<IDeitModel> loading = Task.Run(LoadAsync);
            if (suppresses)
                flow.Undo();
            // Where nobody asks for the model, nobody sees why there is none: it was logged.
            _ = loading.ContinueWith(
                static task => task.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
            return loading;
        });
    }

    /// <summary>The model; asking for it begins to load.</summary>
    public Task<IDeitModel> Loading => _loading.Value;

    /// <summary>How far loading is.</summary>
    public LoadProgress Progress { get; private set; }

    /// <inheritdoc/>
    public NetworkConfig Config => Loaded().Config;

    /// <inheritdoc/>
    public IReadOnlyList<string> Labels => Loaded().Labels;

    /// <inheritdoc/>
    public Preprocess Preprocess => Loaded().Preprocess;

    /// <inheritdoc/>
    public ModelBackend Backend => Loaded().Backend;

    /// <inheritdoc/>
    // Callers of many pictures ask for it before they wait.
    public int MaxBatchSize =>
        Math.Clamp(_options().MaxBatchSize, DeitModelOptions.LeastBatchSize, DeitModelOptions.MostBatchSize);

    /// <summary>The model, for which the thread is blocked.</summary>
    public IDeitModel Loaded() => Loading.GetAwaiter().GetResult();

    /// <summary>The model as one on Vulkan, for which the thread is blocked.</summary>
    /// <exception cref="DeitException">Another runtime computes.</exception>
    public DeitModel LoadedOnVulkan() =>
        Loaded() as DeitModel
        ?? throw new DeitException(
            DeitErrorKind.Device,
            $"A container was asked for a DeitModel, but its model runs by {Backend}; ask for IDeitModel."
        );

    /// <inheritdoc/>
    public Classification Classify(RgbImage image) => Loaded().Classify(image);

    /// <inheritdoc/>
    public Embedding Embed(RgbImage image) => Loaded().Embed(image);

    /// <inheritdoc/>
    public ImageAttention ComputeAttention(RgbImage image) => Loaded().ComputeAttention(image);

    /// <inheritdoc/>
    public async Task<Classification> ClassifyAsync(RgbImage image, CancellationToken cancellationToken = default)
    {
        IDeitModel model = await Loading.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await model.ClassifyAsync(image, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<Embedding> EmbedAsync(RgbImage image, CancellationToken cancellationToken = default)
    {
        IDeitModel model = await Loading.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await model.EmbedAsync(image, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<ImageAttention> ComputeAttentionAsync(
        RgbImage image,
        CancellationToken cancellationToken = default
    )
    {
        IDeitModel model = await Loading.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await model.ComputeAttentionAsync(image, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Ends the loading, or gives back what was loaded.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            await _stop.CancelAsync().ConfigureAwait(false);
        if (!_loading.IsValueCreated)
            return;
        try
        {
            await (await Loading.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (Loading.Exception?.InnerException == error)
        {
            // Nothing was loaded.
        }
    }

    private async Task<IDeitModel> LoadAsync()
    {
        ILogger logger = NullLogger.Instance;
        string path = "";
        try
        {
            DeitModelOptions options = _options();
            if (options.LoggerFactory is { } factory)
                logger = new QuietLogger(factory.CreateLogger<DeitModel>());
            path = options.Path ?? "";
            if (string.IsNullOrWhiteSpace(path))
                throw new DeitException(
                    DeitErrorKind.Usage,
                    "A container was asked for a model without a path; set Path in its configuration or its options."
                );
            return await DeitModels.LoadAsync(path, options, new LastProgress(this), _stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new ObjectDisposedException(nameof(DeitModel));
        }
        catch (Exception error)
        {
            EngineLog.LoadFailed(logger, path, error);
            throw;
        }
    }

    private sealed class LastProgress(HostedModel model) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => model.Progress = value;
    }
}
