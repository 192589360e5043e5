using Deit.Gpu;

namespace Deit.Train;

/// <summary>The end of a training. Model folders are for <see cref="Deit.Model.DeitModel.Load"/>.</summary>
public sealed record TrainingResult
{
    /// <summary>The run folder, with the log, the report and the model folders.</summary>
    public required string Output { get; init; }

    /// <summary>The model folder of the best evaluation.</summary>
    public required string BestModel { get; init; }

    /// <summary>The model folder of the last epoch, from which a run goes on.</summary>
    public required string LastModel { get; init; }

    /// <summary>The model folder of the moving average's best evaluation; null without one.</summary>
    public string? AverageModel { get; init; }

    /// <summary>The best share of validation images whose class came first, 0 to 1.</summary>
    public required double BestTop1 { get; init; }

    /// <summary>The same of the moving average; null without one.</summary>
    public double? AverageTop1 { get; init; }

    /// <summary>Epochs of the run.</summary>
    public required int Epochs { get; init; }

    /// <summary>Steps of the run.</summary>
    public required long Steps { get; init; }

    /// <summary>The device that computed.</summary>
    public required GpuInfo Device { get; init; }

    /// <summary>The figures of the epochs that this call trained; those before a resume stand in <c>log.csv</c>.</summary>
    public IReadOnlyList<EpochFigures> History
    {
        get;
        init => field = new ComparedList<EpochFigures>(value);
    } = new ComparedList<EpochFigures>([]);

    /// <summary>A sentence for each thing that was not quite as asked for, without a point at its end.</summary>
    public IReadOnlyList<string> Notices
    {
        get;
        init => field = new ComparedList<string>(value);
    } = new ComparedList<string>([]);

    /// <summary>A sentence for each image that could not be read and was left out.</summary>
    public IReadOnlyList<string> Unreadable
    {
        get;
        init => field = new ComparedList<string>(value);
    } = new ComparedList<string>([]);
}
