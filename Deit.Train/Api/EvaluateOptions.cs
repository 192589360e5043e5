using Deit.Gpu;
using Deit.Model;
using Deit.Train.Analysis;

namespace Deit.Train;

/// <summary>Which pictures a model is to answer, and how. The defaults are those of <c>deit eval</c>.</summary>
public sealed record EvaluateOptions
{
    /// <summary>The part of the data: <c>train</c>, <c>val</c>, <c>test</c>, or <c>all</c>.</summary>
    public string Split { get; init; } = "val";

    /// <summary>The share of each class that is held out where the data has no split for validation, 0 to below 1. Give that
    /// of the training: with more, images that the model has learned from are among them. For images that it has never
    /// seen, take all of them by <see cref="Split"/> <c>all</c>.</summary>
    public double ValidationFraction { get; init; } = 0.1;

    /// <summary>Images that are answered together, at least 1.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>How a distilled model's two heads answer together; null for the fusion that the model folder names.</summary>
    public HeadFusion? HeadFusion { get; init; }

    /// <summary>The types to compute in; a device that does not store 16-bit values computes in F32, and a notice says
    /// so.</summary>
    public Precision Precision { get; init; }

    /// <summary>The Vulkan device, as of <see cref="TrainingOptions.Device"/>.</summary>
    public string? Device { get; init; }

    /// <summary>How long it may be measured which kernels are the fastest; <see cref="TimeSpan.Zero"/> for not at all.</summary>
    public TimeSpan KernelBudget { get; init; } = KernelChoices.InferenceBudget;

    /// <summary>The options as the library has them.</summary>
    internal SplitOptions ForSplit() =>
        new()
        {
            Split = Split,
            ValFraction = ValidationFraction,
            BatchSize = BatchSize,
        };
}
