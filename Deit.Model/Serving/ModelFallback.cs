namespace Deit.Model;

/// <summary>Loads a model with another runtime than Vulkan.</summary>
/// <param name="path">As of <see cref="DeitModel.Load(string, DeitModelOptions)"/>.</param>
/// <param name="options">How the model is used.</param>
/// <param name="progress">Told the stage of loading; null for nobody.</param>
/// <param name="cancellationToken">Ends the loading.</param>
public delegate Task<IDeitModel> ModelLoader(
    string path,
    DeitModelOptions options,
    IProgress<LoadProgress>? progress,
    CancellationToken cancellationToken
);

/// <summary>
/// What answers where there is no GPU: nothing, the CPU driver of Vulkan, or another runtime, such as ONNX Runtime by
/// <c>UseOnnxRuntime()</c> of the package <c>Deit.Model.OnnxRuntime</c>.
/// </summary>
public sealed class ModelFallback
{
    /// <summary>Names a runtime, and how it loads a model.</summary>
    /// <param name="name">The runtime, for people.</param>
    /// <param name="load">Loads a model with it.</param>
    public ModelFallback(string name, ModelLoader load)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(load);
        (Name, Loader) = (name, load);
    }

    private ModelFallback(string name) => Name = name;

    /// <summary>Nothing: a machine without a GPU is an error that says so.</summary>
    public static ModelFallback None { get; } = new("none");

    /// <summary>A Vulkan driver for the processor, such as Mesa's llvmpipe, where one is installed.</summary>
    public static ModelFallback CpuDriver { get; } = new("Vulkan's CPU driver");

    /// <summary>The runtime, for people.</summary>
    public string Name { get; }

    /// <summary>Loads a model; null where Vulkan does.</summary>
    internal ModelLoader? Loader { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
