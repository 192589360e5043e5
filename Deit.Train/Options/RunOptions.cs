namespace Deit.Train.Options;

/// <summary>One run: its folder, its seed, its device and its reports.</summary>
internal sealed record RunOptions
{
    [Flag(
        "deit|finetune|finetune384|transfer|plain, or a file of --save-recipe: what the flags below start from; "
            + "flags given with it come after it",
        Scope = FlagScope.Command,
        Value = "RECIPE"
    )]
    public string? Recipe { get; init; }

    [Flag(
        "write all settings of the recipe to a file; without --data nothing else is done",
        Scope = FlagScope.Command,
        Value = "FILE"
    )]
    public string? SaveRecipe { get; init; }

    [Flag("steps between two reads of the running loss", Name = "print-freq", Scope = FlagScope.Run)]
    public int PrintSteps { get; init; } = 10;

    [Flag("steps between two saves within an epoch; 0 saves at its end alone", Scope = FlagScope.Run)]
    public int SaveSteps { get; init; }

    [Flag("seed of everything random", Scope = FlagScope.Run)]
    public long Seed { get; init; }

    [Flag(
        "run folder to write; runs/DATA-1, or the next free number, without it",
        Scope = FlagScope.Run,
        Value = "DIR"
    )]
    public string? Output { get; init; }

    [Flag(
        "write report.html into the run folder: curves, mistakes, confusion, calibration; one page for any browser",
        Scope = FlagScope.Run,
        OnResume = true
    )]
    public bool Report { get; init; } = true;

    [Flag(
        "what is written beside log.csv and log.jsonl, which are always: csv for nothing, tensorboard for event files in "
            + "the folder tensorboard",
        Scope = FlagScope.Run,
        OnResume = true
    )]
    public LogKind Log { get; init; } = LogKind.Csv;

    [FlagGroup("Device")]
    public DeviceOptions Device { get; init; } = new();

    [FlagGroup("Device")]
    public KernelOptions Kernels { get; init; } = new();

    [FlagGroup("Several devices")]
    public RankOptions Ranks { get; init; } = new();

    /// <summary>Whether a multiple of a number of steps lies between two points of an epoch.</summary>
    /// <param name="every">The number of steps.</param>
    /// <param name="before">The step of the epoch before, left out.</param>
    /// <param name="now">The step of the epoch now.</param>
    public static bool Passes(int every, int before, int now) => every > 0 && now / every > before / every;

    /// <exception cref="DeitException">A value makes no sense.</exception>
    public void Validate()
    {
        OptionCheck.Require(SaveSteps >= 0, "--save-steps", SaveSteps, "at least 0");
        OptionCheck.Require(PrintSteps >= 1, "--print-freq", PrintSteps, "at least 1");
        Ranks.Validate();
    }
}

/// <summary>The logs of a run.</summary>
internal enum LogKind
{
    /// <summary><c>log.csv</c> and <c>log.jsonl</c>, which every run has.</summary>
    Csv,

    /// <summary>These, and event files of TensorBoard.</summary>
    Tensorboard,
}
