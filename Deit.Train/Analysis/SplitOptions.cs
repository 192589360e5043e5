using Deit.Train.Options;

namespace Deit.Train.Analysis;

/// <summary>The options of every command that runs models over a split of a data set.</summary>
internal record SplitOptions
{
    [Flag("the pictures, as for training", Required = true, Value = "DIR")]
    public string Data { get; set; } = "";

    [Flag("which part of the data: train, val, test, or all pictures of it", Value = "SPLIT")]
    public string Split { get; set; } = "val";

    [Flag("images a run")]
    public int BatchSize { get; set; } = 64;

    [Flag("share kept for validation when the data has no splits of its own; 0 takes all of it")]
    public double ValFraction { get; set; } = 0.1;

    [Flag("print JSON")]
    public bool Json { get; set; }

    [FlagGroup("Device")]
    public DeviceOptions Device { get; init; } = new();

    [FlagGroup("Device")]
    public KernelOptions Kernels { get; init; } = new();
}
