using Deit.Model.Files;

namespace Deit.Model;

/// <summary>
/// Weights on disk: a folder that describes itself (written by training, by transformers or by timm), or a safetensors file, which a
/// <c>config.json</c> beside it may describe.
/// </summary>
/// <param name="Path">The folder or file as it was given.</param>
/// <param name="WeightsPath">The file with the weights.</param>
/// <param name="Description">What <c>config.json</c> says of them; null where there is none.</param>
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
            throw new CheckpointException(
                $"'{path}' does not exist; give a model folder that training wrote, such as RUN/best, or a .safetensors file."
            );
        if (!path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            throw new CheckpointException(
                $"'{path}' is neither a model folder nor a .safetensors file; turn PyTorch's files into one with deit convert."
            );
        return new ModelSource(path, path, Beside(path));
    }

    /// <summary>What a <c>config.json</c> in the folder of a file says; null where there is none.</summary>
    /// <exception cref="DeitException">It describes no model.</exception>
    public static ModelDescription? Beside(string file)
    {
        string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!;
        return File.Exists(System.IO.Path.Combine(folder, ModelFolder.ConfigFile))
            ? ModelDescription.Read(folder)
            : null;
    }

    /// <summary>Opens the weights under the reference's names, which a file of transformers is given here.</summary>
    /// <exception cref="CheckpointException">The file is missing or damaged.</exception>
    public IWeights OpenWeights() => HuggingFaceWeights.Wrap(SafetensorsFile.Open(WeightsPath), WeightsPath);

    /// <summary>The description, told from the shapes of the weights where nothing else says it.</summary>
    /// <param name="weights">The open weights.</param>
    /// <exception cref="CheckpointException">The shapes do not tell it.</exception>
    public ModelDescription Describe(IWeights weights) => Description ?? WeightsDescription.Of(weights, Path);

    /// <summary>The architecture of the weights: what <c>config.json</c> says, or the model of that name with as many classes as the file's head has, or what the shapes tell.</summary>
    /// <param name="name">The name of a model in <see cref="ModelZoo"/>, or null.</param>
    /// <param name="weights">The open weights.</param>
    /// <param name="flag">The option that gives the name, for messages.</param>
    /// <exception cref="DeitException">None says it, or the file has no such head.</exception>
    public NetworkConfig Config(string? name, IWeights weights, string flag)
    {
        if (Description is not null)
            return Description.Config;
        return name is not null ? Named(name, weights, flag) : ToldByShapes(weights, flag);
    }

    /// <summary>The model of a name with as many classes as the weights' head has.</summary>
    /// <exception cref="DeitException">There is no such model or no such head.</exception>
    public NetworkConfig Named(string name, IWeights weights, string flag)
    {
        NetworkConfig config = ModelZoo.Find(name);
        string head = $"{config.Heads[0]}.weight";
        if (!weights.Shapes.TryGetValue(head, out long[]? shape) || shape.Length != 2)
            throw new CheckpointException(
                $"'{Path}' is no {name}: it lacks '{head}'; give {flag} the name of the model that the weights are of."
            );
        return config with { NumClasses = checked((int)shape[0]) };
    }

    private NetworkConfig ToldByShapes(IWeights weights, string flag)
    {
        try
        {
            return WeightsDescription.Of(weights, Path).Config;
        }
        catch (CheckpointException error)
        {
            throw new CheckpointException(
                $"'{Path}' does not say which model its weights are of; add {flag} with its name, such as regnety_160 or deit_base_patch16_224.",
                error
            );
        }
    }
}
