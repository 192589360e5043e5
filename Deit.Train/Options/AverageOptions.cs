using Deit.Model;

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

    /// <exception cref="DeitException">A value makes no sense.</exception>
    public void Validate() => OptionCheck.Require(Decay is >= 0 and <= 1, "--model-ema-decay", Decay, "from 0 to 1");
}
