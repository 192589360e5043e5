namespace Deit.Model;

/// <summary>The reference models by their reference names: a line each.</summary>
internal static class ModelZoo
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

    private static readonly Dictionary<string, RegNetConfig> RegNets = new(StringComparer.Ordinal)
    {
        ["regnety_040"] = RegNetY(96, 31.41, 2.24, 22, 64),
        ["regnety_080"] = RegNetY(192, 76.82, 2.19, 17, 56),
        ["regnety_120"] = RegNetY(168, 73.36, 2.37, 19, 112),
        ["regnety_160"] = RegNetY(200, 106.23, 2.48, 18, 112),
    };

    /// <summary>The names of all DeiT.</summary>
    public static IReadOnlyCollection<string> Names => Models.Keys;

    /// <summary>The configuration of a reference model.</summary>
    /// <exception cref="DeitException">There is no model of that name.</exception>
    public static DeitConfig Get(string name) =>
        Models.TryGetValue(name, out DeitConfig? config)
            ? config
            : throw new DeitException(
                $"There is no model '{name}'; choose one of {string.Join(", ", Models.Keys)}, or give --embed-dim, --depth and --num-heads."
            );

    /// <summary>The configuration of a DeiT or RegNetY.</summary>
    /// <exception cref="DeitException">There is no model of that name.</exception>
    public static NetworkConfig Find(string name) =>
        Models.TryGetValue(name, out DeitConfig? deit) ? deit
        : RegNets.TryGetValue(name, out RegNetConfig? regNet) ? regNet
        : throw new DeitException(
            $"There is no model '{name}'; choose one of {string.Join(", ", [.. Models.Keys, .. RegNets.Keys])}, or give a free configuration."
        );

    /// <summary>The names of all RegNetY, as timm's.</summary>
    public static IReadOnlyCollection<string> RegNetNames => RegNets.Keys;

    /// <summary>The configuration of a RegNetY.</summary>
    /// <exception cref="DeitException">There is no RegNetY of that name.</exception>
    public static RegNetConfig GetRegNet(string name) =>
        RegNets.TryGetValue(name, out RegNetConfig? config)
            ? config
            : throw new DeitException(
                $"There is no RegNetY '{name}'; choose one of {string.Join(", ", RegNets.Keys)}."
            );

    private static DeitConfig Deit(int embedDim, int heads) =>
        new()
        {
            EmbedDim = embedDim,
            Depth = 12,
            NumHeads = heads,
        };

    private static RegNetConfig RegNetY(
        int initialWidth,
        double widthSlope,
        double widthMultiplier,
        int depth,
        int groupWidth
    ) =>
        new()
        {
            InitialWidth = initialWidth,
            WidthSlope = widthSlope,
            WidthMultiplier = widthMultiplier,
            Depth = depth,
            GroupWidth = groupWidth,
        };
}
