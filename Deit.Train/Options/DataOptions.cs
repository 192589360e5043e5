namespace Deit.Train.Options;

/// <summary>The pictures of a training.</summary>
internal sealed record DataOptions
{
    [Flag(
        "folder with DIR/{train,val}/<class>/* or DIR/<class>/*, CIFAR, WebDataset shards or Parquet",
        Name = "data",
        Scope = FlagScope.Run,
        OnResume = true,
        Value = "DIR"
    )]
    public string? Path { get; init; }

    [Flag(
        "share of each class kept for validation when DIR has no val split, the same for every seed; "
            + "0 takes the test split of CIFAR",
        Scope = FlagScope.Run
    )]
    public double ValFraction { get; init; } = 0.1;

    [Flag("threads that decode images; 0 for one a core", Scope = FlagScope.Run, OnResume = true)]
    public int NumWorkers { get; init; }

    /// <exception cref="DeitException">A value makes no sense.</exception>
    public void Validate()
    {
        OptionCheck.Require(ValFraction is >= 0 and < 1, "--val-fraction", ValFraction, "from 0 to below 1");
        OptionCheck.Require(NumWorkers is >= 0 and <= 1024, "--num-workers", NumWorkers, "from 0 to 1024");
    }
}
