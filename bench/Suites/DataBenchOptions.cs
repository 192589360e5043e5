using Deit.Train.Options;

namespace Deit.Bench.Suites;

/// <summary>The options of <c>deit bench data</c>. The defaults are the reference's augmentation without erasing.</summary>
internal sealed record DataBenchOptions
{
    /// <summary>The pictures.</summary>
    [Flag("pictures, as for deit train; the training images are read", Required = true, Value = "DIR")]
    public string Data { get; set; } = "";

    /// <summary>Side of the square input.</summary>
    [Flag("side of the square input in pixels")]
    public int InputSize { get; set; } = 224;

    /// <summary>RandAugment.</summary>
    [Flag("RandAugment in timm's grammar, or none")]
    public string Aa { get; set; } = "rand-m9-mstd0.5-inc1";

    /// <summary>Random erasing.</summary>
    [Flag("chance of a picture to be erased in part (the reference's: 0.25)")]
    public double Reprob { get; set; }

    /// <summary>Threads.</summary>
    [Flag("threads that decode and transform; 0 is one a core")]
    public int NumWorkers { get; set; }

    /// <summary>How long all cores are measured.</summary>
    [Flag("seconds to measure all cores for, and again one thread")]
    public double Seconds { get; set; } = 10;
}
