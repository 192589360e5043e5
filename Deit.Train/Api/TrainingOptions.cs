using Deit.Model;
using Deit.Model.Images;
using Deit.Train.Options;

namespace Deit.Train;

/// <summary>
/// The settings of a training. What is null has the value of <see cref="Recipe"/>, and without one the default of
/// <c>deit train</c>. <see cref="Flags"/> has all settings beside those that are named here.
/// </summary>
public sealed record TrainingOptions
{
    /// <summary>The pictures: a folder (<c>--data</c>), or images of the program.</summary>
    public required TrainingData Data { get; init; }

    /// <summary>The folder to write, which holds no run yet (<c>--output</c>).</summary>
    public required string Output { get; init; }

    /// <summary>The settings to start from (<c>--recipe</c>): <c>finetune</c>, <c>plain</c>, ..., or a recipe's file.</summary>
    public string? Recipe { get; init; }

    /// <summary>Weights to start from (<c>--finetune</c>): a model folder, a file, or <c>hf:OWNER/REPO</c>; null for random
    /// ones.</summary>
    public string? Weights { get; init; }

    /// <summary>The network by timm's name (<c>--model</c>); null for that of <see cref="Weights"/>, and without them
    /// <c>deit_tiny_patch16_224</c>.</summary>
    public string? Model { get; init; }

    /// <summary>The input in pixels (<c>--input-size</c>); null for the network's own.</summary>
    public ImageSize? InputSize { get; init; }

    /// <summary>Passes over the training images (<c>--epochs</c>), at least 1.</summary>
    public int? Epochs { get; init; }

    /// <summary>Images a step (<c>--batch-size</c>), at least 1.</summary>
    public int? BatchSize { get; init; }

    /// <summary>The base learning rate, which is multiplied by images an update / 512 (<c>--lr</c>).</summary>
    public double? LearningRate { get; init; }

    /// <summary>The types to compute in (<c>--precision</c>).</summary>
    public Precision? Precision { get; init; }

    /// <summary>Decides everything random (<c>--seed</c>).</summary>
    public long? Seed { get; init; }

    /// <summary>The share of each class that is held out where the data has no split for validation
    /// (<c>--val-fraction</c>), 0 to below 1; 0.1 where it is null.</summary>
    public double? ValidationFraction { get; init; }

    /// <summary>The Vulkan device by index, part of its name, or start of its UUID (<c>--device</c>); null for DEIT_DEVICE,
    /// and without it the best one.</summary>
    public string? Device { get; init; }

    /// <summary>Threads that decode images (<c>--num-workers</c>); one a core where it is null. The result does not depend
    /// on it.</summary>
    public int? Workers { get; init; }

    /// <summary>
    /// Further flags of <c>deit train</c> and their values, as the command line has them, of a switch <c>true</c> or
    /// <c>false</c>: <c>["layer-decay"] = "0.65"</c>, <c>["no-aug"] = "true"</c>. <c>deit train --help</c> lists them.
    /// </summary>
    public IReadOnlyDictionary<string, string> Flags
    {
        get;
        init => field = new ComparedDictionary(value);
    } = ComparedDictionary.Empty;

    /// <summary>The flags that are given, and their values.</summary>
    /// <exception cref="DeitException">A flag is unknown, is given twice, or has no such value.</exception>
    internal IEnumerable<(Flag Flag, object? Value)> Given()
    {
        Dictionary<string, object?> named = new(StringComparer.Ordinal)
        {
            ["--data"] = Data.Source.Folder,
            ["--output"] = Output,
            ["--recipe"] = Recipe,
            ["--finetune"] = Weights,
            ["--model"] = Model,
            ["--input-size"] = InputSize,
            ["--epochs"] = Epochs,
            ["--batch-size"] = BatchSize,
            ["--lr"] = LearningRate,
            ["--precision"] = Precision,
            ["--seed"] = Seed,
            ["--val-fraction"] = ValidationFraction,
            ["--device"] = Device,
            ["--num-workers"] = Workers,
        };
        return
        [
            .. named
                .Where(option => option.Value is not null)
                .Select(option => FlagTexts.Read(option.Key, FlagValue.Text(option.Value)!)),
            .. Flags.Select(flag => FlagTexts.ReadFurther(flag.Key, flag.Value, named.Keys)),
        ];
    }
}
