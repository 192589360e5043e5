namespace Deit.Train.Options;

/// <summary>The length of a training and its learning rates.</summary>
internal sealed record ScheduleOptions
{
    [Flag("passes over the training images; with --resume, the new number of a run that is extended")]
    public int Epochs { get; init; } = 300;

    [Flag(
        "how the learning rate falls: cosine, as the reference; step, multistep, plateau and poly, as timm; "
            + "constant, with a straight line to --min-lr at the end",
        Name = "sched"
    )]
    public ScheduleKind Kind { get; init; } = ScheduleKind.Cosine;

    [Flag("base learning rate; multiplied by images an update / 512")]
    public double Lr { get; init; } = 5e-4;

    [Flag("take --lr as it is")]
    public bool UnscaleLr { get; init; }

    [Flag("learning rate at the end, not multiplied")]
    public double MinLr { get; init; } = 1e-5;

    [Flag("learning rate that the warm-up begins with, not multiplied")]
    public double WarmupLr { get; init; } = 1e-6;

    [Flag("epochs of linear warm-up")]
    public int WarmupEpochs { get; init; } = 5;

    [Flag("epochs between two decays of --sched step")]
    public int DecayEpochs { get; init; } = 30;

    [Flag("epochs at which --sched multistep decays")]
    public EpochList DecayMilestones { get; init; } = new(90, 180, 270);

    [Flag("factor of a decay of --sched step, multistep and plateau; the power of --sched poly, as in timm")]
    public double DecayRate { get; init; } = 0.1;

    [Flag("epochs that --sched plateau waits for a lower validation loss before it decays")]
    public int PatienceEpochs { get; init; } = 10;

    [Flag("share of the epochs, at their end, in which --sched constant falls to --min-lr; 0 for none")]
    public double TailShare { get; init; } = 0.2;

    /// <summary>A sentence, without a point at its end, where the warm-up takes half of the training; null elsewhere.</summary>
    /// <remarks>A training of a few epochs is a trial, and is left alone.</remarks>
    public string? LongWarmup
    {
        get
        {
            const int Trial = 5;
            return Epochs > Trial && 2 * WarmupEpochs >= Epochs
                ? $"the learning rate is warmed up for {WarmupEpochs} of the {Epochs} epochs; fewer --warmup-epochs leave more to learn in"
                : null;
        }
    }

    /// <exception cref="DeitException">A value makes no sense.</exception>
    public void Validate()
    {
        OptionCheck.Require(Epochs >= 1, "--epochs", Epochs, "at least 1");
        OptionCheck.Require(Lr > 0 && double.IsFinite(Lr), "--lr", Lr, "above 0");
        OptionCheck.Require(MinLr >= 0 && double.IsFinite(MinLr), "--min-lr", MinLr, "at least 0");
        OptionCheck.Require(WarmupLr >= 0 && double.IsFinite(WarmupLr), "--warmup-lr", WarmupLr, "at least 0");
        OptionCheck.Require(WarmupEpochs >= 0, "--warmup-epochs", WarmupEpochs, "at least 0");
        OptionCheck.Require(DecayEpochs >= 1, "--decay-epochs", DecayEpochs, "at least 1");
        OptionCheck.Require(DecayRate > 0 && double.IsFinite(DecayRate), "--decay-rate", DecayRate, "above 0");
        OptionCheck.Require(PatienceEpochs >= 0, "--patience-epochs", PatienceEpochs, "at least 0");
        OptionCheck.Require(TailShare is >= 0 and <= 1, "--tail-share", TailShare, "from 0 to 1");
    }
}
