using Deit.Model;
using Deit.Train.Options;

namespace Deit.Train.Training;

/// <summary>The network that options describe.</summary>
internal static class NetworkDescription
{
    /// <summary>The network that is trained.</summary>
    /// <param name="options">The flags that describe it.</param>
    /// <param name="classes">Number of classes.</param>
    /// <exception cref="DeitException">The flags describe no network.</exception>
    public static NetworkConfig Config(this ModelOptions options, int classes) =>
        NetworkFamilies.Configure(
            new ArchitectureOptions
            {
                Model = options.Name,
                EmbedDim = options.EmbedDim,
                Depth = options.Depth,
                NumHeads = options.NumHeads,
                FreeRegNet = options.RegNet,
                PatchSize = options.PatchSize,
                InputSize = options.InputSize,
                Distilled = options.Distilled,
            },
            classes
        );
}
