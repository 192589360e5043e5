using Deit.Gpu;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>How a model is loaded.</summary>
public sealed record DeitModelOptions
{
    /// <summary>The Vulkan device by index, name or UUID; null for DEIT_DEVICE, and without it the best one.</summary>
    public string? Device { get; init; }

    /// <summary>How a distilled model's two heads answer together; null for what the model folder says.</summary>
    public HeadFusion? HeadFusion { get; init; }

    /// <summary>In which types to compute, F32 unless told; a device that does not store 16-bit values computes in F32.</summary>
    public Precision Precision { get; init; }
}

/// <summary>A trained model, ready to classify pictures. Makes and owns its device. Thread-safe: calls take turns on the device.</summary>
/// <example><code>
/// using DeitModel model = DeitModel.Load("runs/shoes/best");
/// Classification result = model.Classify("boot.jpg");
/// Console.WriteLine($"{result.Top.Label} {result.Top.Probability:p1}");
/// </code></example>
public sealed class DeitModel : IDisposable
{
    private readonly INetwork _network;
    private readonly ModelDescription _description;
    private readonly Inference _inference;
    private readonly HeadFusion _fusion;
    private readonly Lock _gate = new();

    private DeitModel(GpuDevice device, INetwork network, ModelDescription description, HeadFusion fusion, Precision precision)
    {
        (Device, _network, _description, _fusion) = (device, network, description, fusion);
        Precision = Model.Precision.For(device.Info, precision).Precision;
        _inference = new Inference(device, network, batchSize: 1, precision: Precision);
    }

    /// <summary>The device that computes.</summary>
    public GpuDevice Device { get; }

    /// <summary>The types in use.</summary>
    public Precision Precision { get; }

    /// <summary>The class names in order.</summary>
    public IReadOnlyList<string> Labels => _description.Labels;

    /// <summary>The architecture.</summary>
    public NetworkConfig Config => _description.Config;

    /// <summary>How pictures are prepared.</summary>
    public Preprocess Preprocess => _description.Preprocess;

    /// <summary>Loads a model folder: <c>config.json</c> and <c>model.safetensors</c>.</summary>
    /// <param name="folder">A folder that training wrote, such as <c>RUN/best</c>.</param>
    /// <param name="options">The device.</param>
    /// <exception cref="DeitException">The folder is no model folder, or is damaged.</exception>
    /// <exception cref="GpuException">There is no such device, or it has not enough memory.</exception>
    public static DeitModel Load(string folder, DeitModelOptions? options = null)
    {
        // Read before a device is opened: a wrong folder is answered at once.
        _ = ModelDescription.Read(folder);
        GpuDevice device = GpuDevice.Open(options?.Device);
        INetwork? network = null;
        try
        {
            (network, ModelDescription description) = ModelFolder.Load(device, folder);
            network.Parameters.Freeze();
            return new DeitModel(device, network, description, options?.HeadFusion ?? description.HeadFusion, options?.Precision ?? default);
        }
        catch
        {
            network?.Dispose();
            device.Dispose();
            throw;
        }
    }

    /// <summary>Classifies a picture file.</summary>
    /// <exception cref="ImageException">The file is no readable picture.</exception>
    /// <exception cref="GpuException">The device was lost.</exception>
    public Classification Classify(string path) => Classify(ImageDecoder.Decode(path));

    /// <summary>Classifies a picture.</summary>
    /// <exception cref="GpuException">The device was lost.</exception>
    public Classification Classify(RgbImage image)
    {
        float[] pixels = new float[Preprocess.OutputLength];
        Preprocess.Apply(image, pixels);
        lock (_gate)
            return Classification.FromLogits(_inference.Run(pixels, 1).Fuse(_fusion, Labels.Count), Labels);
    }

    /// <summary>Releases the model and its device.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _inference.Dispose();
            _network.Dispose();
            Device.Dispose();
        }
    }
}
