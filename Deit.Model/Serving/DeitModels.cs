using Deit.Gpu;
using Deit.Model.Serving;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Deit.Model;

/// <summary>
/// Loads a model on what the machine has: a GPU, or where there is none the <see cref="DeitModelOptions.Fallback"/>, which
/// may be another runtime. <see cref="IDeitModel.Backend"/> says what runs, and so does a warning in the log.
/// </summary>
/// <example><code>
/// using IDeitModel model = DeitModels.Load("runs/shoes/best", new DeitModelOptions().UseOnnxRuntime());
/// Console.WriteLine($"{model.Classify("boot.jpg").Top.Label} by {model.Backend}");
/// </code></example>
public static class DeitModels
{
    /// <summary>Loads a model.</summary>
    /// <param name="path">As of <see cref="DeitModel.Load(string, DeitModelOptions)"/>.</param>
    /// <param name="options">The device, what replaces it, and how it is used; null for the best GPU and the defaults.</param>
    /// <exception cref="HubException">The model of the Hub cannot be had.</exception>
    /// <exception cref="DeitException">There is no model, or it is damaged.</exception>
    /// <exception cref="GpuException">There is no such device, or no GPU and no fallback, or not enough memory.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static IDeitModel Load(string path, DeitModelOptions? options = null) =>
        // On threads of the pool: the caller's may be the one of a window, which loading must not wait for.
        Task.Run(() => LoadAsync(path, options)).GetAwaiter().GetResult();

    /// <summary>Loads a model in the background.</summary>
    /// <param name="path">As of <see cref="DeitModel.Load(string, DeitModelOptions)"/>.</param>
    /// <param name="options">The device, what replaces it, and how it is used; null for the best GPU and the defaults.</param>
    /// <param name="progress">Told the stage of loading, and how far a download is.</param>
    /// <param name="cancellationToken">Ends the loading; everything is given back. What was downloaded stays.</param>
    /// <exception cref="HubException">The model of the Hub cannot be had.</exception>
    /// <exception cref="DeitException">There is no model, or it is damaged.</exception>
    /// <exception cref="GpuException">There is no such device, or no GPU and no fallback, or not enough memory.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task<IDeitModel> LoadAsync(
        string path,
        DeitModelOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        DeitModelOptions chosen = (options ?? new DeitModelOptions()).Checked();
        if (chosen.Fallback.Loader is { } load)
        {
            string? reason = await Task.Run(() => DeviceChoice.WhyNoGpu(chosen), cancellationToken)
                .ConfigureAwait(false);
            if (reason is not null)
            {
                ILogger logger = chosen.LoggerFactory is { } factory
                    ? new QuietLogger(factory.CreateLogger<DeitModel>())
                    : NullLogger.Instance;
                EngineLog.Fallback(logger, path, chosen.Fallback.Name, reason);
                return await load(path, chosen, progress, cancellationToken).ConfigureAwait(false);
            }
        }
        return await DeitModel.LoadAsync(path, chosen, progress, cancellationToken).ConfigureAwait(false);
    }
}
