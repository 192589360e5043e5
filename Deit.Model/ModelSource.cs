using Deit.Model.Checkpoints;

namespace Deit.Model;

/// <summary>Weights on disk: a model folder, which describes itself, or a bare safetensors file, which does not.</summary>
/// <param name="Path">The folder or file as it was given.</param>
/// <param name="WeightsPath">The file with the weights.</param>
/// <param name="Description">What the folder says of them; null of a bare file.</param>
internal sealed record ModelSource(string Path, string WeightsPath, ModelDescription? Description)
{
    /// <summary>Looks what lies at a path.</summary>
    /// <exception cref="DeitException">Nothing that could be read as weights.</exception>
    public static ModelSource Open(string path)
    {
        if (Directory.Exists(path))
        {
            ModelDescription description = ModelDescription.Read(path);
            string weights = System.IO.Path.Combine(path, ModelFolder.WeightsFile);
            return new ModelSource(path, weights, description);
        }
        if (!File.Exists(path))
            throw new CheckpointException($"'{path}' does not exist; give a model folder that training wrote, such as RUN/best, or a .safetensors file.");
        if (!path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            throw new CheckpointException($"'{path}' is neither a model folder nor a .safetensors file; save the weights as safetensors.");
        return new ModelSource(path, path, Description: null);
    }

    /// <summary>The architecture of the weights: what the folder says, or the model of that name with as many classes as the file's head has.</summary>
    /// <param name="name">The name of a model in <see cref="ModelZoo"/>, or null.</param>
    /// <param name="file">The open weights.</param>
    /// <param name="flag">The option that gives the name, for messages.</param>
    /// <exception cref="DeitException">Neither says it, or the file has no such head.</exception>
    public NetworkConfig Config(string? name, SafetensorsFile file, string flag)
    {
        if (Description is not null)
            return Description.Config;
        if (name is null)
            throw new CheckpointException($"'{Path}' does not say which model its weights are of; add {flag} with its name, such as regnety_160 or deit_base_patch16_224.");
        NetworkConfig config = ModelZoo.Find(name);
        string head = $"{config.Heads[0]}.weight";
        if (!file.TryGet(head, out SafetensorsEntry? entry) || entry.Shape.Length != 2)
            throw new CheckpointException($"'{Path}' is no {name}: it lacks '{head}'; give {flag} the name of the model that the weights are of.");
        return config with { NumClasses = checked((int)entry.Shape[0]) };
    }
}
