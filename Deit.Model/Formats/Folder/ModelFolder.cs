using Deit.Gpu;
using Deit.Model.Files;

namespace Deit.Model;

/// <summary>The files of a model folder, and how weights move between them and a model on a device.</summary>
internal static class ModelFolder
{
    /// <summary>The description of a model folder.</summary>
    public const string ConfigFile = "config.json";

    /// <summary>The weights of a model folder.</summary>
    public const string WeightsFile = "model.safetensors";

    /// <summary>The moving average of the weights, beside them in the folder from which a training resumes.</summary>
    public const string AverageFile = "model_ema.safetensors";

    /// <summary>Loads all parameters and running statistics from an open file whose names and shapes must be exactly theirs.</summary>
    /// <exception cref="CheckpointException">A tensor is missing, not expected, or of another shape.</exception>
    public static void LoadWeights(Parameters parameters, IWeights weights, string path)
    {
        Check(weights, [.. parameters.Specs, .. parameters.Buffers], path);
        CopyWeights(parameters, weights, path);
    }

    /// <summary>Loads all parameters and running statistics from a file that was checked.</summary>
    /// <exception cref="CheckpointException">The file is damaged, or a weight is not finite.</exception>
    public static void CopyWeights(Parameters parameters, IWeights weights, string path)
    {
        foreach (ParameterSpec spec in parameters.Specs.Concat(parameters.Buffers))
            parameters.Device.Write<float>(parameters[spec.Name], FiniteWeights.Read(weights, spec.Name, path));
    }

    /// <summary>Checks that a file has exactly the tensors of a configuration.</summary>
    /// <param name="weights">The file.</param>
    /// <param name="config">The configuration.</param>
    /// <param name="path">The name of the file in messages.</param>
    /// <exception cref="CheckpointException">A tensor is missing, not expected, or of another shape.</exception>
    public static void Check(IWeights weights, NetworkConfig config, string path) =>
        Check(weights, [.. config.Specs()], path);

    /// <summary>Writes all parameters and running statistics in F32 under their names, as a whole or not at all.</summary>
    /// <exception cref="DeitException">The file cannot be written, or a weight is not finite; a file that was there is intact.</exception>
    public static void SaveWeights(Parameters parameters, string path, Tensor? flat = null)
    {
        float[] values = parameters.Device.Read<float>(flat ?? parameters.Flat);
        // A model with a weight that is not finite gives no usable answer: it must not replace a file that does.
        if (values.AsSpan().ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
            throw new CheckpointException(
                $"Writing '{path}' was refused: the model has weights that are not finite, what was there "
                    + "before is intact; lower --lr, raise --warmup-epochs or set --clip-grad 1."
            );
        IEnumerable<SafetensorsSource> trained = parameters.Specs.Select(spec =>
        {
            (int start, int length) = parameters.RangeOf(spec.Name);
            return Source(spec, values.AsMemory(start, length));
        });
        SafetensorsWriter.Write(
            path,
            trained.Concat(
                parameters.Buffers.Select(spec => Source(spec, parameters.Device.Read<float>(parameters[spec.Name])))
            )
        );

        static SafetensorsSource Source(ParameterSpec spec, ReadOnlyMemory<float> values) =>
            SafetensorsSource.FromFloats(spec.Name, Array.ConvertAll(spec.Shape.ToArray(), d => (long)d), values);
    }

    private static void Check(IWeights weights, IReadOnlyList<ParameterSpec> specs, string path)
    {
        HashSet<string> known = [.. specs.Select(spec => spec.Name)];
        // PyTorch counts the batches behind a running statistic; nothing here reads the count.
        known.UnionWith(
            specs
                .Where(spec => spec.Name.EndsWith(".running_mean", StringComparison.Ordinal))
                .Select(spec => $"{spec.Name[..^"running_mean".Length]}num_batches_tracked")
        );
        string[] unexpected = [.. weights.Shapes.Keys.Where(name => !known.Contains(name))];
        // The part that makes it another model is a better reason than a tensor that is missing for it.
        ForeignParts.Refuse(unexpected, path);
        foreach (ParameterSpec spec in specs)
        {
            if (!weights.Shapes.TryGetValue(spec.Name, out long[]? shape))
                throw new CheckpointException($"'{path}' lacks '{spec.Name}' {spec.Shape}: {Lacking(spec.Name)}");
            if (!shape.SequenceEqual(spec.Shape.Select(d => (long)d)))
                throw new CheckpointException(
                    $"'{path}' has '{spec.Name}' of shape [{string.Join(", ", shape)}], the configuration "
                        + $"expects {spec.Shape}{Contradiction(spec.Name)}; use the config.json that was written with it."
                );
        }
        if (unexpected.Length > 0)
            throw new CheckpointException(
                $"'{path}' has '{unexpected[0]}', which the configuration does not know; use the config.json that was written with it."
            );
    }

    private static string Lacking(string name) =>
        name.StartsWith("head", StringComparison.Ordinal)
            ? "it has no such head, and without one it gives features and no classes; give weights with a head, "
                + "or train one with --finetune."
            : "it belongs to another configuration; use the config.json that was written with it.";

    private static string Contradiction(string name) =>
        name == "pos_embed" ? ": it is of another input size, patch size or number of tokens"
        : name.StartsWith("head", StringComparison.Ordinal) ? ": it is of another number of classes"
        : "";
}
