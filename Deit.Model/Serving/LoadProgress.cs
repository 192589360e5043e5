namespace Deit.Model;

/// <summary>What loading a model does, in order.</summary>
public enum LoadStage
{
    /// <summary>Reads what the model is.</summary>
    Description,

    /// <summary>Finds and opens the device.</summary>
    Device,

    /// <summary>Reads the weights and copies them to the device.</summary>
    Weights,

    /// <summary>Records the forward pass; a driver that meets it for the first time compiles its kernels.</summary>
    Kernels,

    /// <summary>The model answers.</summary>
    Ready,
}

/// <summary>How far loading a model is.</summary>
/// <param name="Stage">What it does now.</param>
/// <param name="Fraction">About how much is done, 0 to 1; it never falls.</param>
public readonly record struct LoadProgress(LoadStage Stage, double Fraction);
