namespace Deit.Train.Options;

/// <summary>The moving average of the weights.</summary>
internal sealed record AverageOptions
{
    [Flag(
        "keep a moving average of the weights, evaluate and save it (on in the reference code, off in the paper's runs)",
        Name = "model-ema"
    )]
    public bool Enabled { get; init; } = true;

    [Flag("decay of the moving average", Name = "model-ema-decay")]
    public double Decay { get; init; } = 0.99996;

    [Flag(
        "start the moving average at a short one and let it grow: after n updates the decay is 1 - (n + 1)^(-2/3), at most "
            + "--model-ema-decay, as timm's ModelEmaV3; for trainings of few updates",
        Name = "model-ema-warmup"
    )]
    public bool Warmup { get; init; }

    /// <summary>The decay of an update.</summary>
    /// <param name="update">Updates before it.</param>
    public double DecayAt(long update) => Warmup ? Math.Min(Decay, 1 - Math.Pow(update + 1, -2.0 / 3)) : Decay;

    /// <exception cref="DeitException">A value makes no sense.</exception>
    public void Validate() => OptionCheck.Require(Decay is >= 0 and <= 1, "--model-ema-decay", Decay, "from 0 to 1");
}
