using Deit.Model.Images;

namespace Deit.Train.Data.Inspection;

/// <summary>What is looked at, and how.</summary>
internal sealed record InspectionOptions
{
    /// <summary>The folder of the data.</summary>
    public required string Data { get; init; }

    /// <summary>As for training.</summary>
    public double ValFraction { get; init; } = 0.1;

    /// <summary>The greatest distance of near copies; null looks for none.</summary>
    public int? Threshold { get; init; } = NearSearch.DefaultThreshold;

    /// <summary>The input of the model, by which pictures are small, large or too long.</summary>
    public ImageSize InputSize { get; init; } = 224;

    /// <summary>Threads that decode; 0 for one a core.</summary>
    public int Workers { get; init; }
}
