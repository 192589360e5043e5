namespace Deit.Model;

/// <summary>The stages of loading a model, in order.</summary>
public enum LoadStage
{
    /// <summary>Fetches a model of the Hugging Face Hub that is not in the cache. Others are loaded without this stage.</summary>
    Download,

    /// <summary>Reads the description of the model.</summary>
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
/// <param name="Stage">The stage that begins.</param>
/// <param name="Fraction">About how much is done, 0 to 1; it never falls.</param>
public readonly record struct LoadProgress(LoadStage Stage, double Fraction)
{
    /// <summary>The beginning of a stage.</summary>
    internal static LoadProgress Of(LoadStage stage) =>
        new(
            stage,
            stage switch
            {
                LoadStage.Description => 0,
                LoadStage.Device => 0.05,
                LoadStage.Weights => 0.2,
                LoadStage.Kernels => 0.6,
                _ => 1,
            }
        );
}
