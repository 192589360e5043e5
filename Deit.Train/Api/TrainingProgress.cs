using Deit.Gpu;

namespace Deit.Train;

/// <summary>Where a training stands. It is told when the training begins, at fixed steps, after each epoch, and with each
/// notice.</summary>
public sealed record TrainingProgress
{
    /// <summary>The device that computes.</summary>
    public required GpuInfo Device { get; init; }

    /// <summary>The epoch in progress, counted from 1.</summary>
    public int Epoch { get; init; }

    /// <summary>Epochs of the run.</summary>
    public int Epochs { get; init; }

    /// <summary>Steps done of the epoch.</summary>
    public int Step { get; init; }

    /// <summary>Steps of an epoch.</summary>
    public int Steps { get; init; }

    /// <summary>The mean training loss of the epoch so far; null before it was first read.</summary>
    public double? Loss { get; init; }

    /// <summary>The learning rate in force; null before the loss was first read.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Training images a second; 0 before it was measured.</summary>
    public double ImagesPerSecond { get; init; }

    /// <summary>The time to the end of the run, evaluations left out; null while unknown.</summary>
    public TimeSpan? Remaining { get; init; }

    /// <summary>The figures of the epoch where it has just been evaluated; null elsewhere.</summary>
    public EpochFigures? Evaluated { get; init; }

    /// <summary>A sentence on something that is not as it should be, without a point at its end; null elsewhere.</summary>
    public string? Notice { get; init; }

    /// <summary>The share of all steps of the run that is done, 0 to 1.</summary>
    public double Fraction => Steps == 0 ? 0 : (Epoch - 1 + ((double)Step / Steps)) / Epochs;
}

/// <summary>The figures of an epoch.</summary>
public sealed record EpochFigures
{
    /// <summary>The epoch, counted from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>The mean training loss.</summary>
    public required double TrainingLoss { get; init; }

    /// <summary>The mean cross-entropy of the validation images.</summary>
    public required double ValidationLoss { get; init; }

    /// <summary>The share of the validation images whose class came first, 0 to 1.</summary>
    public required double Top1 { get; init; }

    /// <summary>The share whose class was among the first five, 0 to 1.</summary>
    public required double Top5 { get; init; }

    /// <summary><see cref="Top1"/> of the moving average of the weights; null without one.</summary>
    public double? AverageTop1 { get; init; }

    /// <summary>The learning rate in force.</summary>
    public required double LearningRate { get; init; }

    /// <summary>The time that the steps took.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Whether <see cref="Top1"/> is the best of the run so far.</summary>
    public required bool IsBest { get; init; }
}
