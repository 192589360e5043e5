namespace Deit.Train.Options;

/// <summary>The device of a command. Every command that computes has this group of flags.</summary>
internal sealed record DeviceOptions
{
    [Flag(
        "Vulkan device by index, name or UUID (also DEIT_DEVICE)",
        Name = "device",
        Scope = FlagScope.Command,
        OnResume = true,
        Value = "NAME"
    )]
    public string? Selector { get; init; }
}
