using Deit.Gpu;
using Microsoft.Extensions.Logging;

namespace Deit.Model;

/// <summary>How a model is loaded and served. Read when loading: later changes do not matter.</summary>
public sealed record DeitModelOptions
{
    /// <summary>
    /// The model that a container loads, as of <see cref="DeitModel.Load(string, DeitModelOptions)"/>, which itself takes
    /// the path that it is given.
    /// </summary>
    public string? Path { get; set; }

    /// <summary>
    /// The Vulkan device by index, part of its name, or start of its UUID; null for DEIT_DEVICE, and without it the
    /// best one.
    /// </summary>
    public string? Device { get; set; }

    /// <summary>
    /// What answers where there is no GPU: nothing unless told, so that the user hears of it. A device of any kind that
    /// <see cref="Device"/> or DEIT_DEVICE names is used, and is no case for it. Another runtime than Vulkan answers
    /// through <see cref="DeitModels"/> and containers, since a <see cref="DeitModel"/> is always on Vulkan.
    /// </summary>
    public ModelFallback Fallback { get; set; } = ModelFallback.None;

    /// <summary>
    /// True where <see cref="Fallback"/> is the <see cref="ModelFallback.CpuDriver"/>: the processor computes where there
    /// is no GPU, by a Vulkan driver.
    /// </summary>
    public bool CpuFallback
    {
        get => Fallback == ModelFallback.CpuDriver;
        set
        {
            if (value != CpuFallback)
                Fallback = value ? ModelFallback.CpuDriver : ModelFallback.None;
        }
    }

    /// <summary>How a distilled model's two heads answer together; null for the fusion that the model folder names.</summary>
    public HeadFusion? HeadFusion { get; set; }

    /// <summary>The types of activations and of the residual stream; a device that does not store 16-bit values computes in F32.</summary>
    public Precision Precision { get; set; }

    /// <summary>The most pictures that are computed together, 1 to 256. Pictures that wait when the device becomes free
    /// make a batch.</summary>
    public int MaxBatchSize { get; set; } = 8;

    /// <summary>How long a picture may wait for others to fill its batch while the device is free, 0 to 10 s; 0 never waits.</summary>
    public TimeSpan MaxDelay { get; set; }

    /// <summary>
    /// How long loading and the first answers may measure which kernels are the fastest: 3 s unless told,
    /// <see cref="TimeSpan.Zero"/> for not at all, <see cref="TimeSpan.MaxValue"/> without a limit. What is not measured
    /// then, another process measures. Models that share a device share the time of the first.
    /// </summary>
    public TimeSpan KernelBudget { get; set; } = KernelChoices.InferenceBudget;

    /// <summary>Where events are logged under the category <c>Deit.Model.DeitModel</c>; null for nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    internal const int LeastBatchSize = 1,
        MostBatchSize = 256;

    /// <summary>A copy whose numbers are known to be good.</summary>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    /// <exception cref="DeitException">No network computes in such types.</exception>
    internal DeitModelOptions Checked()
    {
        if (KernelBudget < TimeSpan.Zero)
            throw new ArgumentException(
                $"A model was asked to measure kernels for {KernelBudget.TotalSeconds} s, expected 0 or more; correct KernelBudget."
            );
        if (MaxBatchSize is < LeastBatchSize or > MostBatchSize)
            throw new ArgumentException(
                $"A model was asked to batch up to {MaxBatchSize} pictures, expected 1 to 256; correct MaxBatchSize."
            );
        if (MaxDelay < TimeSpan.Zero || MaxDelay > TimeSpan.FromSeconds(10))
            throw new ArgumentException(
                $"A model was asked to hold pictures back for {MaxDelay.TotalMilliseconds} ms, expected 0 to 10000; correct MaxDelay."
            );
        if (Fallback is null)
            throw new ArgumentException(
                "A model was given no fallback, expected one; set ModelFallback.None for none."
            );
        _ = Precision.Name; // throws for types that no network computes in
        return this with { };
    }
}
