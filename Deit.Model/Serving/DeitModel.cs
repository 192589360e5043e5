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
public sealed partial class DeitModel : IDisposable
{
    private readonly ModelDescription _description;
    private readonly InferenceEngine _engine;
    private readonly HeadFusion _fusion;
    private readonly int _maxBatchSize;

    private DeitModel(ModelDescription description, DeitModelOptions options, InferenceEngine engine) =>
        (_description, _fusion, _maxBatchSize, _engine) = (
            description,
            options.HeadFusion ?? description.HeadFusion,
            options.MaxBatchSize,
            engine
        );

    /// <summary>The device that computes; another one after a loss if the first is gone.</summary>
    public GpuInfo Device => _engine.Device;

    /// <summary>The types of activations and of the residual stream in use.</summary>
    public Precision Precision => _engine.Precision;

    /// <summary>The class names in order.</summary>
    public IReadOnlyList<string> Labels => _description.Labels;

    /// <summary>Height and width of the network's input in pixels; pictures of any size are resized and cropped to it.</summary>
    public ImageSize InputSize => _description.Config.InputSize;

    /// <summary>The architecture.</summary>
    public NetworkConfig Config => _description.Config;

    /// <summary>How pictures are prepared.</summary>
    public Preprocess Preprocess => _description.Preprocess;

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

    /// <summary>Classifies a picture file.</summary>
    /// <param name="path">JPEG, PNG, WebP, GIF or BMP.</param>
    /// <exception cref="ImageException">The file is no readable picture.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Classification Classify(string path) => Classify(RgbImage.Decode(path));

    /// <summary>Classifies the picture that is left of a stream.</summary>
    /// <param name="encoded">JPEG, PNG, WebP, GIF or BMP; stays open.</param>
    /// <exception cref="ImageException">The data is no readable picture.</exception>
    /// <exception cref="IOException">The stream fails.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Classification Classify(Stream encoded) => Classify(RgbImage.Decode(encoded));

    /// <summary>Classifies an encoded picture.</summary>
    /// <param name="encoded">The whole JPEG, PNG, WebP, GIF or BMP.</param>
    /// <exception cref="ImageException">The data is no readable picture.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Classification Classify(ReadOnlySpan<byte> encoded) => Classify(RgbImage.Decode(encoded));

    /// <summary>Classifies pixels in memory.</summary>
    /// <param name="pixels">Rows of <paramref name="strideBytes"/> bytes, top to bottom; the last may end with its last pixel.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="strideBytes">Bytes from a row to the next.</param>
    /// <param name="format">The layout of a pixel; alpha is left out.</param>
    /// <exception cref="ArgumentException">The numbers do not fit each other.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Classification Classify(
        ReadOnlySpan<byte> pixels,
        int width,
        int height,
        int strideBytes,
        PixelFormat format
    ) => Classify(RgbImage.FromPixels(pixels, width, height, strideBytes, format));

    /// <summary>Classifies a picture.</summary>
    /// <param name="image">The picture.</param>
    /// <exception cref="DeitException">The answer is NaN or infinite: the weights are, or 16 bits are too few.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Classification Classify(RgbImage image) => ToClassification(_engine.Ask(Prepare(image, Wanted.Logits)));

    /// <summary>The tokens of a picture file behind the last layer norm.</summary>
    /// <param name="path">JPEG, PNG, WebP, GIF or BMP.</param>
    /// <exception cref="ImageException">The file is no readable picture.</exception>
    /// <exception cref="DeitException">The model is no DeiT and has no tokens, or they are NaN or infinite.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Embedding Embed(string path) => Embed(RgbImage.Decode(path));

    /// <summary>The tokens of a picture behind the last layer norm.</summary>
    /// <param name="image">The picture.</param>
    /// <exception cref="DeitException">The model is no DeiT and has no tokens, or they are NaN or infinite.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Embedding Embed(RgbImage image)
    {
        TransformerConfig config = RequireTokens("An embedding");
        float[] features = _engine.Ask(Prepare(image, Wanted.Features)).Features!;
        RequireNumbers(features);
        return new Embedding(
            features[..config.EmbedDim],
            config.PrefixTokens == 2 ? features[config.EmbedDim..] : null
        );
    }

    /// <summary>The attention of the tokens to the patches of a picture file.</summary>
    /// <param name="path">JPEG, PNG, WebP, GIF or BMP.</param>
    /// <exception cref="ImageException">The file is no readable picture.</exception>
    /// <exception cref="DeitException">The model is no DeiT and has no attention.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public ImageAttention Attention(string path) => Attention(RgbImage.Decode(path));

    /// <summary>The attention of the tokens to the patches of a picture.</summary>
    /// <param name="image">The picture.</param>
    /// <exception cref="DeitException">The model is no DeiT and has no attention.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public ImageAttention Attention(RgbImage image)
    {
        TransformerConfig config = RequireTokens("Attention");
        return new ImageAttention(_engine.Ask(Prepare(image, Wanted.Attention)).Attention!, config);
    }

    /// <summary>
    /// Gives everything back. Calls that wait fail with <see cref="ObjectDisposedException"/>; those being computed are
    /// answered.
    /// </summary>
    public void Dispose() => _engine.Dispose();

    private TransformerConfig RequireTokens(string what) =>
        Config as TransformerConfig
        ?? throw new DeitException(
            DeitErrorKind.Usage,
            $"{what} was asked of a {Config.Family}, which has no tokens; load a DeiT."
        );

    private Request Prepare(RgbImage image, Wanted wanted)
    {
        ArgumentNullException.ThrowIfNull(image);
        Request request = new(Preprocess.OutputLength, wanted);
        try
        {
            Preprocess.Apply(image, request.Pixels);
            return request;
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    private Classification ToClassification(Answer answer)
    {
        HeadLogits logits = answer.Logits!;
        RequireNumbers(logits.Class);
        RequireNumbers(logits.Distillation);
        return Classification.FromLogits(logits.Fuse(_fusion, Labels.Count), Labels);
    }

    private void RequireNumbers(ReadOnlySpan<float> values) => FiniteAnswers.Require(values, _engine.Path, Precision);
}
