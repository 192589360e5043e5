using Microsoft.ML.OnnxRuntime;

namespace Deit.Model.OnnxRuntime;

/// <summary>Makes ONNX Runtime answer where there is no GPU.</summary>
public static class OnnxRuntimeFallback
{
    /// <summary>
    /// Sets <see cref="DeitModelOptions.Fallback"/> to ONNX Runtime, for <see cref="DeitModels"/> and containers.
    /// </summary>
    /// <param name="options">The options, which are changed.</param>
    /// <param name="configureSession">As of <see cref="OnnxDeitModel.Load(string, DeitModelOptions, Action{SessionOptions})"/>.</param>
    /// <returns>The options.</returns>
    public static DeitModelOptions UseOnnxRuntime(
        this DeitModelOptions options,
        Action<SessionOptions>? configureSession = null
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Fallback = new ModelFallback(
            "ONNX Runtime",
            async (path, loaded, progress, cancellation) =>
                await OnnxDeitModel
                    .LoadAsync(path, loaded, configureSession, progress, cancellation)
                    .ConfigureAwait(false)
        );
        return options;
    }
}
