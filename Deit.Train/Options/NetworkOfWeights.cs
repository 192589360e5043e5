using Deit.Model;

namespace Deit.Train.Options;

/// <summary>
/// The network that weights are of, as the flags describe it: who names weights to start from need not say what they are.
/// </summary>
internal static class NetworkOfWeights
{
    /// <summary>The flags that describe a network. One of them given means that the user says which.</summary>
    public static IReadOnlySet<string> Flags { get; } =
        new HashSet<string>(StringComparer.Ordinal)
        {
            "--model",
            "--embed-dim",
            "--depth",
            "--num-heads",
            "--patch-size",
            "--distilled",
            "--regnet",
        };

    /// <summary>Options that describe the network of a configuration.</summary>
    /// <param name="options">The options so far. Their input size is kept where it was given.</param>
    /// <param name="config">The configuration of the weights.</param>
    /// <param name="distils">True where the network learns from a teacher. Without one the head of a distillation token
    /// gets no gradient, and its answers would be averaged into those of the other: the network has no such token then.</param>
    /// <param name="notice">A sentence without a point at its end where the token is left out; null elsewhere.</param>
    /// <returns>The same options where no flags describe that network.</returns>
    public static ModelOptions Describe(ModelOptions options, NetworkConfig config, bool distils, out string? notice)
    {
        notice = null;
        if (!distils && config is DeitConfig { Distilled: true } student)
        {
            ModelOptions twin = Describe(options, student with { Distilled = false });
            if (!ReferenceEquals(twin, options))
                notice =
                    "the weights have a distillation token, which learns nothing without a teacher: the model is trained without "
                    + "it; add --distillation-type and --teacher-path to keep it";
            return twin;
        }
        return Describe(options, config);
    }

    private static ModelOptions Describe(ModelOptions options, NetworkConfig config)
    {
        ModelOptions plain = options with
        {
            EmbedDim = null,
            Depth = null,
            NumHeads = null,
            PatchSize = null,
            RegNet = null,
        };
        if (NetworkFamilies.NameOf(config) is { } name)
            return plain with { Name = name, Distilled = false };
        if (config is not DeitConfig deit || deit != Free(deit))
            return options;
        return plain with
        {
            EmbedDim = deit.EmbedDim,
            Depth = deit.Depth,
            NumHeads = deit.NumHeads,
            PatchSize = deit.PatchSize,
            Distilled = deit.Distilled,
            InputSize = options.InputSize ?? deit.InputSize,
        };
    }

    // What the flags of a free DeiT can say. The rest has its defaults.
    private static DeitConfig Free(DeitConfig config) =>
        new()
        {
            EmbedDim = config.EmbedDim,
            Depth = config.Depth,
            NumHeads = config.NumHeads,
            PatchSize = config.PatchSize,
            Distilled = config.Distilled,
            InputSize = config.InputSize,
            NumClasses = config.NumClasses,
        };
}
