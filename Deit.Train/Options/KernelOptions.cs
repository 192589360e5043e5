using Deit.Gpu;

namespace Deit.Train.Options;

/// <summary>How long a command may measure kernels before it begins.</summary>
internal sealed record KernelOptions
{
    [Flag(
        "how long to measure which kernels are the fastest, where no run has: quick for 3 s, before a training for "
            + "30 s; full without a limit; off not at all",
        Name = "tune",
        Scope = FlagScope.Command,
        OnResume = true,
        Choices = ["quick", "full", "off"]
    )]
    public string Tune { get; init; } = "quick";

    /// <summary>The limit for <see cref="KernelChoices.Budget"/>.</summary>
    /// <param name="quick">The limit of a command that is in a hurry.</param>
    public TimeSpan Budget(TimeSpan quick) =>
        Tune switch
        {
            "full" => TimeSpan.MaxValue,
            "off" => TimeSpan.Zero,
            _ => quick,
        };
}
