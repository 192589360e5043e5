using Deit.Gpu;
using Deit.Model.Checkpoints;

namespace Deit.Model;

/// <summary>Moves weights between safetensors files and a model on a device.</summary>
internal static class ModelFolder
{
    /// <summary>The description of a model folder.</summary>
    public const string ConfigFile = "config.json";

    /// <summary>The weights of a model folder.</summary>
    public const string WeightsFile = "model.safetensors";

    /// <summary>Builds the model that a folder describes and loads its weights.</summary>
    /// <exception cref="DeitException">The folder is no model folder, or is damaged.</exception>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    public static (INetwork Network, ModelDescription Description) Load(GpuDevice device, string folder)
    {
        ModelDescription description = ModelDescription.Read(folder);
        string weights = Path.Combine(folder, WeightsFile);
        // Opened before the device is asked for memory: a damaged file costs nothing.
        using SafetensorsFile file = SafetensorsFile.Open(weights);
        CheckNames(file, [.. description.Config.Specs()], weights);
        INetwork model = description.Config.Create(device);
        try
        {
            LoadWeights(model.Parameters, file, weights);
            return (model, description);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Loads all parameters and running statistics from an open file whose names and shapes must be exactly theirs.</summary>
    /// <exception cref="CheckpointException">A tensor is missing, not expected, or of another shape.</exception>
    public static void LoadWeights(Parameters parameters, SafetensorsFile file, string path)
    {
        ParameterSpec[] specs = [.. parameters.Specs, .. parameters.Buffers];
        CheckNames(file, specs, path);
        foreach (ParameterSpec spec in specs)
        {
            float[] values = new float[spec.Shape.Elements];
            file.ReadFloats(file[spec.Name], values);
            parameters.Device.Write<float>(parameters[spec.Name], values);
        }
    }

    /// <summary>Writes all parameters and running statistics in F32 under their names, as a whole or not at all.</summary>
    /// <exception cref="DeitException">The file cannot be written, or a weight is not finite; a file that was there is intact.</exception>
    public static void SaveWeights(Parameters parameters, string path, Tensor? flat = null)
    {
        float[] values = parameters.Device.Read<float>(flat ?? parameters.Flat);
        // Such a model answers nothing any more: it must not replace one that does.
        if (values.AsSpan().ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
            throw new CheckpointException($"Writing '{path}' was refused: the model has weights that are not finite, what was there before is intact; lower --lr, raise --warmup-epochs or set --clip-grad 1.");
        IEnumerable<SafetensorsSource> trained = parameters.Specs.Select(spec =>
        {
            (int start, int length) = parameters.RangeOf(spec.Name);
            return Source(spec, values.AsMemory(start, length));
        });
        SafetensorsWriter.Write(path, trained.Concat(parameters.Buffers.Select(spec => Source(spec, parameters.Device.Read<float>(parameters[spec.Name])))));

        static SafetensorsSource Source(ParameterSpec spec, ReadOnlyMemory<float> values) =>
            SafetensorsSource.FromFloats(spec.Name, Array.ConvertAll(spec.Shape.ToArray(), d => (long)d), values);
    }

    private static void CheckNames(SafetensorsFile file, IReadOnlyList<ParameterSpec> specs, string path)
    {
        foreach (ParameterSpec spec in specs)
        {
            if (!file.TryGet(spec.Name, out SafetensorsEntry? entry))
                throw new CheckpointException($"'{path}' lacks '{spec.Name}' {spec.Shape}: it belongs to another configuration; use the config.json that was written with it.");
            if (!entry.Shape.SequenceEqual(spec.Shape.Select(d => (long)d)))
                throw new CheckpointException($"'{path}' has '{spec.Name}' of shape [{string.Join(", ", entry.Shape)}], the configuration expects {spec.Shape}; use the config.json that was written with it.");
        }
        HashSet<string> known = [.. specs.Select(spec => spec.Name)];
        // PyTorch counts the batches behind a running statistic; nothing here reads the count.
        known.UnionWith(specs.Where(spec => spec.Name.EndsWith(".running_mean", StringComparison.Ordinal)).Select(spec => $"{spec.Name[..^"running_mean".Length]}num_batches_tracked"));
        if (file.Entries.FirstOrDefault(entry => !known.Contains(entry.Name)) is { } unexpected)
        {
            throw new CheckpointException($"'{path}' has '{unexpected.Name}', which the configuration does not know; use the config.json that was written with it.");
        }
    }
}
