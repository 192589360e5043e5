namespace Deit.Gpu;

/// <summary>Decisions of a recording that tests and benches take in place of the device's facts and
/// measurements.</summary>
internal sealed record ForcedChoices
{
    /// <summary>Nothing is forced.</summary>
    public static ForcedChoices None { get; } = new();

    /// <summary>The name of the variant that computes products, where the device runs it; null for the measured choice.</summary>
    public string? Product { get; init; }

    /// <summary>The name of the variant that computes attention, where the device runs it; null for the measured choice.</summary>
    public string? Attention { get; init; }

    /// <summary>Whether kernels of rows and elements read by addresses, where the device runs such kernels; null for the measured
    /// choice.</summary>
    public bool? Addresses { get; init; }

    /// <summary>Kernels of rows and columns are laid out as for a card, on any device.</summary>
    public bool CardLayout { get; init; }

    /// <summary>How many elements of a convolution's unfolded input are kept at a time; null for a number that suits the device.</summary>
    public long? UnfoldedElements { get; init; }
}
