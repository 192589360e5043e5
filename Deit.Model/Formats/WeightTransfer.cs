using Deit.Model.Files;

namespace Deit.Model;

/// <summary>
/// Takes weights into a network of another resolution, with another number of classes or with another token, as the
/// reference's fine-tuning does.
/// </summary>
internal static class WeightTransfer
{
    private const string PositionEmbeddingName = "pos_embed",
        DistillationToken = "dist_token";

    /// <summary>Loads all tensors that fit; the position embedding is resized to the network's grid of patches.</summary>
    /// <param name="network">The network; a parameter that is not loaded keeps its values.</param>
    /// <param name="source">Where the weights come from; without a description its patches are taken for a square.</param>
    /// <param name="newHeads">Heads of another shape, and a distillation token that the source lacks, are left as they
    /// are; otherwise they are refused.</param>
    /// <returns>A sentence for each thing that was not simply copied.</returns>
    /// <exception cref="CheckpointException">A tensor is missing or of another shape, or the file is damaged; the
    /// network may have been loaded in part.</exception>
    public static IReadOnlyList<string> Load(INetwork network, ModelSource source, bool newHeads)
    {
        IWeights file = source.Weights;
        Parameters parameters = network.Parameters;
        List<string> notices = [];
        if (Unknown(network, source, newHeads) is { } unknown)
            notices.Add($"'{unknown}' of '{source.Path}', and whatever else the model does not know, is left out");
        foreach (ParameterSpec spec in parameters.Specs.Concat(parameters.Buffers))
        {
            bool isNew = newHeads && MayStartAnew(network.Config, spec.Name);
            if (!file.Shapes.TryGetValue(spec.Name, out long[]? shape))
            {
                if (!isNew)
                    throw new CheckpointException(
                        $"'{source.Path}' lacks '{spec.Name}' {spec.Shape}: it is of another model; give the model that the weights are of."
                    );
                notices.Add($"'{spec.Name}' is not in '{source.Path}' and starts anew");
                continue;
            }
            float[] values = file.Read(spec.Name);
            if (spec.Name == PositionEmbeddingName && network.Config is TransformerConfig config)
            {
                (values, string? notice) = ToGrid(values, shape, parameters, config, source, file);
                if (notice is not null)
                    notices.Add(notice);
            }
            else if (!shape.SequenceEqual(spec.Shape.Select(d => (long)d)))
            {
                if (!isNew)
                    throw new CheckpointException(
                        $"'{source.Path}' has '{spec.Name}' of shape [{string.Join(", ", shape)}], the model "
                            + $"expects {spec.Shape}; give the model that the weights are of."
                    );
                notices.Add($"'{spec.Name}' [{string.Join(", ", shape)}] does not fit {spec.Shape} and starts anew");
                continue;
            }
            FiniteWeights.Check(values, spec.Name, source.WeightsPath);
            parameters.Device.Write<float>(parameters[spec.Name], values);
        }
        source.Dispose(); // read to its end
        return notices;
    }

    /// <summary>Whether a parameter that the weights lack is no sign of another model, and starts anew.</summary>
    /// <param name="config">The network.</param>
    /// <param name="parameter">The parameter's name.</param>
    public static bool MayStartAnew(NetworkConfig config, string parameter) =>
        parameter == DistillationToken || config.IsHead(parameter);

    // Handles a tensor that the network does not know. Only heads and tokens may be left out: a tensor that belongs
    // between two that the network knows is refused, since without it they compute something else.
    private static string? Unknown(INetwork network, ModelSource source, bool newHeads)
    {
        string[] own = [.. network.Parameters.Specs.Concat(network.Parameters.Buffers).Select(spec => spec.Name)];
        HashSet<string> parts = [.. own.Where(name => !network.Config.IsHead(name)).Select(Part)];
        string[] unknown =
        [
            .. source
                .Weights.Shapes.Keys.Except(own)
                .Where(name => !name.EndsWith(".num_batches_tracked", StringComparison.Ordinal)),
        ];
        ForeignParts.Refuse(unknown, source.Path);
        if (unknown.FirstOrDefault(name => !newHeads || parts.Contains(Part(name))) is { } inside)
            throw new CheckpointException(
                $"'{source.Path}' has '{inside}', which the model does not know: it is of another model; "
                    + "give the model that the weights are of."
            );
        return unknown.FirstOrDefault();

        static string Part(string name) => name.Split('.')[0];
    }

    private static (float[] Values, string? Notice) ToGrid(
        float[] values,
        long[] shape,
        Parameters parameters,
        TransformerConfig config,
        ModelSource source,
        IWeights file
    )
    {
        int dimension = config.EmbedDim,
            prefix = config.PrefixPositions == 0 ? 0
            : file.Shapes.ContainsKey(DistillationToken) ? 2
            : 1;
        if (shape is not [1, long rows, long columns] || columns != dimension || rows <= prefix)
            throw new CheckpointException(
                $"'{source.Path}' has '{PositionEmbeddingName}' of shape [{string.Join(", ", shape)}], the "
                    + $"model expects [1, tokens, {dimension}]; give the model that the weights are of."
            );
        int patches = (int)rows - prefix,
            side = (int)Math.Round(Math.Sqrt(patches));
        (int Height, int Width) from =
            source.Stated?.Config is TransformerConfig described ? described.Grid
            : side * side == patches || patches != config.Patches ? (side, side)
            : config.Grid;
        if (from.Height * from.Width != patches)
            throw new CheckpointException(
                $"'{source.Path}' has a position embedding of {patches} patches, which make no square; give "
                    + $"the model folder, whose {ModelFolder.ConfigFile} tells height and width."
            );
        float[] resized = PositionEmbedding.Resize(values, dimension, prefix, from, config.Grid);
        string? notice =
            from == config.Grid
                ? null
                : $"the position embedding was resized from {from.Height} x {from.Width} to "
                    + $"{config.Grid.Height} x {config.Grid.Width} patches";
        if (prefix == config.PrefixPositions)
            return (resized, notice);
        // Another number of tokens before the patches: the class token's row is common to both, a distillation token's row stays as it is.
        float[] merged = parameters.Device.Read<float>(parameters[PositionEmbeddingName]);
        resized.AsSpan(0, dimension).CopyTo(merged);
        resized.AsSpan(prefix * dimension).CopyTo(merged.AsSpan(config.PrefixTokens * dimension));
        return (merged, notice);
    }
}
