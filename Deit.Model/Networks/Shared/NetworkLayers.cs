namespace Deit.Model;

/// <summary>
/// The layers of a network as timm groups them for layer decay: the embedding or stem is 0, block i is i + 1, and the heads are the last.
/// A norm behind the blocks belongs to the last block.
/// </summary>
internal static class NetworkLayers
{
    extension(NetworkConfig config)
    {
        /// <summary>The layer of the heads.</summary>
        public int LastLayer => config.BlockCount + 1;

        /// <summary>The layer of each parameter, in the order of the parameters; running statistics are left out.</summary>
        public IReadOnlyList<int> Layers()
        {
            List<int> layers = [];
            foreach (ParameterSpec spec in config.Specs().Where(spec => !spec.Buffer))
                layers.Add(
                    config.IsHead(spec.Name) ? config.LastLayer
                    : config.BlockOf(spec.Name) is { } block ? block + 1
                    : layers.LastOrDefault()
                );
            return layers;
        }
    }
}
