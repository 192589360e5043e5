using Deit.Model.Images;

namespace Deit.Model;

/// <summary>
/// The network that a user wants: the name of a reference model, or a free configuration of one
/// family.
/// </summary>
internal sealed record ArchitectureOptions
{
    /// <summary>The name of a reference model; used where nothing describes a free configuration.</summary>
    public string Model { get; init; } = "deit_tiny_patch16_224";

    /// <summary>Width of a free vision transformer.</summary>
    public int? EmbedDim { get; init; }

    /// <summary>Blocks of a free vision transformer.</summary>
    public int? Depth { get; init; }

    /// <summary>Attention heads of a free vision transformer.</summary>
    public int? NumHeads { get; init; }

    /// <summary>A free RegNetY: w_0, w_a, w_m, depth, group width and perhaps the width of the stem, with commas between.</summary>
    public string? FreeRegNet { get; init; }

    /// <summary>Side of a patch in pixels; null for that of the model.</summary>
    public int? PatchSize { get; init; }

    /// <summary>Size of the input in pixels; null for that of the model.</summary>
    public ImageSize? InputSize { get; init; }

    /// <summary>True to add a distillation token.</summary>
    public bool Distilled { get; init; }
}
