using Deit.Model;

namespace Deit.Train.Options;

/// <summary>The length of a training and its learning rates.</summary>
internal sealed record ScheduleOptions
{
    [Flag("passes over the training images")]
    public int Epochs { get; init; } = 300;

    [Flag("base learning rate; multiplied by images an update / 512")]
    public double Lr { get; init; } = 5e-4;

    [Flag("take --lr as it is")]
    public bool UnscaleLr { get; init; }

    [Flag("learning rate at the end, not multiplied")]
    public double MinLr { get; init; } = 1e-5;

    [Flag("learning rate of the first epoch, not multiplied")]
    public double WarmupLr { get; init; } = 1e-6;

    [Flag("epochs of linear warm-up")]
    public int WarmupEpochs { get; init; } = 5;

    /// <exception cref="DeitException">A value makes no sense.</exception>
    public void Validate()
    {
        OptionCheck.Require(Epochs >= 1, "--epochs", Epochs, "at least 1");
        OptionCheck.Require(Lr > 0 && double.IsFinite(Lr), "--lr", Lr, "above 0");
        OptionCheck.Require(MinLr >= 0 && double.IsFinite(MinLr), "--min-lr", MinLr, "at least 0");
        OptionCheck.Require(WarmupLr >= 0 && double.IsFinite(WarmupLr), "--warmup-lr", WarmupLr, "at least 0");
        OptionCheck.Require(WarmupEpochs >= 0, "--warmup-epochs", WarmupEpochs, "at least 0");
    }
}
