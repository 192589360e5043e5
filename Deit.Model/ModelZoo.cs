namespace Deit.Model;

/// <summary>The reference models by their reference names: a line each.</summary>
public static class ModelZoo
{
    private static readonly Dictionary<string, DeitConfig> Models = new(StringComparer.Ordinal)
    {
        ["deit_tiny_patch16_224"] = Deit(192, 3),
        ["deit_small_patch16_224"] = Deit(384, 6),
        ["deit_base_patch16_224"] = Deit(768, 12),
        ["deit_base_patch16_384"] = Deit(768, 12) with { InputSize = 384 },
        ["deit_tiny_distilled_patch16_224"] = Deit(192, 3) with { Distilled = true },
        ["deit_small_distilled_patch16_224"] = Deit(384, 6) with { Distilled = true },
        ["deit_base_distilled_patch16_224"] = Deit(768, 12) with { Distilled = true },
        ["deit_base_distilled_patch16_384"] = Deit(768, 12) with { Distilled = true, InputSize = 384 },
    };

    /// <summary>All names.</summary>
    public static IReadOnlyCollection<string> Names => Models.Keys;

    /// <summary>The configuration of a reference model.</summary>
    /// <exception cref="DeitException">There is no model of that name.</exception>
    public static DeitConfig Get(string name) =>
        Models.TryGetValue(name, out DeitConfig? config) ? config : throw new DeitException($"There is no model '{name}'; choose one of {string.Join(", ", Models.Keys)}, or give --embed-dim, --depth and --num-heads.");

    private static DeitConfig Deit(int embedDim, int heads) => new() { EmbedDim = embedDim, Depth = 12, NumHeads = heads };
}
