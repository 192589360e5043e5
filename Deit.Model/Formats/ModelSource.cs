using System.Text.Json;
using Deit.Gpu;
using Deit.Model.Files;

namespace Deit.Model;

/// <summary>
/// A model on disk: a folder that describes itself (written by training, by transformers or by timm), or a file of weights, which a
/// <c>config.json</c> beside it may describe. Everything that opens a model does it here. The description is read once, when the source is
/// opened. The weights are opened when they are first asked for, and checked once against the description.
/// </summary>
internal sealed class ModelSource : IDisposable
{
    private readonly Func<string, IWeights> _open;
    private IWeights? _weights;
    private ModelDescription? _description;
    private bool _checked;

    private ModelSource(string path, string weightsPath, ModelDescription? stated, Func<string, IWeights> open) =>
        (Path, WeightsPath, Stated, _description, _open) = (path, weightsPath, stated, stated, open);

    /// <summary>The folder or file as it was given.</summary>
    public string Path { get; }

    /// <summary>The file with the weights.</summary>
    public string WeightsPath { get; }

    /// <summary>The description in <c>config.json</c>; null where there is none.</summary>
    public ModelDescription? Stated { get; }

    /// <summary>The open weights under the reference's names, which files of transformers and others are given here.</summary>
    /// <exception cref="CheckpointException">The file is missing or damaged.</exception>
    public IWeights Weights =>
        _weights ??= RenamedWeights.Wrap(
            HuggingFaceWeights.Wrap(UnwrappedWeights.Wrap(_open(WeightsPath), WeightsPath), WeightsPath),
            WeightsPath
        );

    /// <summary>The description, told from the shapes of the weights where nothing else says it.</summary>
    /// <exception cref="CheckpointException">The shapes do not tell it.</exception>
    public ModelDescription Description => _description ??= WeightsDescription.Of(Weights, Path);

    /// <summary>Opens a model folder, a safetensors file, or a model of the Hub, which is fetched where it is missing.</summary>
    /// <exception cref="DeitException">There is nothing that could be read as a model.</exception>
    public static ModelSource Open(string path) => Open(path, HubModels.Place(path));

    /// <summary>Opens a model folder or a safetensors file.</summary>
    /// <param name="path">The name of the model in messages.</param>
    /// <param name="place">Where it lies.</param>
    /// <exception cref="DeitException">There is nothing that could be read as a model.</exception>
    public static ModelSource Open(string path, string place)
    {
        AtomicFolder.AwaitReplacement(place);
        if (Directory.Exists(place))
        {
            ModelDescription description = Read(place);
            // The description is of use without the weights: what lies in their place is said when they are asked for.
            return Of(
                path,
                WeightsInFolder.Place(place),
                description,
                _ => OpenSafetensors(WeightsInFolder.Find(place))
            );
        }
        if (!File.Exists(place))
            throw new CheckpointException(
                $"'{path}' does not exist; give a model folder that training wrote, such as RUN/best, "
                    + "or a .safetensors file, or hf:OWNER/REPO of the Hugging Face Hub."
            );
        FileNature nature = FileNature.Of(place);
        bool named = place.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase);
        return nature.Kind switch
        {
            FileKind.Safetensors => Of(path, place, Beside(place)),
            FileKind.Unknown when named => Of(path, place, Beside(place)),
            FileKind.Torch => throw new CheckpointException(
                $"'{path}' is of PyTorch, neither a model folder nor a .safetensors file; "
                    + $"turn it into a model folder with: deit convert '{path}' OUT."
            ),
            FileKind.Other => throw new CheckpointException(
                $"'{path}' is {nature.Name}, neither a model folder nor a .safetensors file; {nature.Remedy}."
            ),
            _ => throw new CheckpointException(
                $"'{path}' is neither a model folder nor a .safetensors file; "
                    + "turn PyTorch's files into one with deit convert."
            ),
        };
    }

    /// <summary>A model whose parts the caller knows.</summary>
    /// <param name="path">The name of the model in messages.</param>
    /// <param name="weightsPath">The file with the weights.</param>
    /// <param name="stated">The description; null where the shapes of the weights are to tell it.</param>
    /// <param name="open">Opens the weights; null for a safetensors file.</param>
    public static ModelSource Of(
        string path,
        string weightsPath,
        ModelDescription? stated,
        Func<string, IWeights>? open = null
    ) => new(path, weightsPath, stated, open ?? OpenSafetensors);

    /// <summary>The files with the weights: <see cref="WeightsPath"/>, or those that it names.</summary>
    /// <exception cref="CheckpointException">It names them, and cannot be read.</exception>
    public IReadOnlyList<string> WeightFiles =>
        IsIndex(WeightsPath) ? ShardedWeights.Files(WeightsPath) : [WeightsPath];

    /// <summary>The description of a model folder or safetensors file, without anything of it staying open.</summary>
    /// <exception cref="DeitException">There is no model, or it is damaged.</exception>
    public static ModelDescription Describe(string path)
    {
        using ModelSource source = Open(path);
        return source.Description;
    }

    /// <summary>Builds the model of a folder or safetensors file and loads its weights.</summary>
    /// <exception cref="DeitException">There is no model, or it is damaged.</exception>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    public static (INetwork Network, ModelDescription Description) Load(GpuDevice device, string path)
    {
        using ModelSource source = Open(path);
        return (source.Load(device), source.Description);
    }

    /// <summary>The description in a <c>config.json</c> beside a file; null where there is none.</summary>
    /// <exception cref="DeitException">It describes no model.</exception>
    public static ModelDescription? Beside(string file)
    {
        string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!;
        return File.Exists(System.IO.Path.Combine(folder, ModelFolder.ConfigFile)) ? Read(folder) : null;
    }

    /// <summary>Reads <c>config.json</c> of a model folder: our own, or as transformers and timm write it.</summary>
    /// <exception cref="DeitException">There is none, or it describes no model.</exception>
    public static ModelDescription Read(string folder)
    {
        string file = System.IO.Path.Combine(folder, ModelFolder.ConfigFile);
        if (!File.Exists(file))
            throw new CheckpointException(WeightsInFolder.WithoutDescription(folder));
        try
        {
            ModelDescription description = Parse(JsonFile.Read(file), folder);
            description.Validate(file);
            return description;
        }
        catch (DeitException error) when (error is not CheckpointException)
        {
            throw new CheckpointException($"'{file}' describes no model: {error.Message}", error);
        }
        catch (Exception error)
            when (error
                    is JsonException
                        or NotSupportedException
                        or IOException
                        or UnauthorizedAccessException
                        or ArgumentException
                        or InvalidOperationException
            )
        {
            throw new CheckpointException(
                $"'{file}' cannot be read as a model's configuration ({error.Message.ReplaceLineEndings(" ")}); "
                    + "restore the file or train again.",
                error
            );
        }
    }

    /// <summary>
    /// The architecture of the weights. It is that of <c>config.json</c>, or the model of the given name with as many
    /// classes as the file's head has, or the one that the shapes tell.
    /// </summary>
    /// <param name="name">The name of a reference model, or null.</param>
    /// <param name="flag">The option that gives the name, for messages.</param>
    /// <exception cref="DeitException">None says it, or the file has no such head.</exception>
    public NetworkConfig Config(string? name, string flag)
    {
        if (Stated is not null)
            return Stated.Config;
        if (name is not null)
            return Named(name, flag).Config;
        try
        {
            return Description.Config;
        }
        catch (CheckpointException error) when (ForeignParts.OfNoFamily(Weights.Shapes.Keys) is null)
        {
            throw new CheckpointException(
                $"'{Path}' does not say which model its weights are of; "
                    + $"add {flag} with its name, such as regnety_160 or deit_base_patch16_224.",
                error
            );
        }
    }

    /// <summary>The reference model of a name, with as many classes as the weights' head has.</summary>
    /// <exception cref="DeitException">There is no such model or no such head.</exception>
    public ReferenceModel Named(string name, string flag)
    {
        ReferenceModel model = NetworkFamilies.Model(name);
        string head = $"{model.Config.Heads[0]}.weight";
        if (!Weights.Shapes.TryGetValue(head, out long[]? shape) || shape.Length != 2)
            throw new CheckpointException(
                $"'{Path}' is no {name}: it lacks '{head}'; give {flag} the name of the model that the weights are of."
            );
        return model with { Config = model.Config with { NumClasses = checked((int)shape[0]) } };
    }

    /// <summary>The same weights with another description; the new source takes the open file over.</summary>
    public ModelSource With(ModelDescription description)
    {
        ModelSource described = new(Path, WeightsPath, description, _open) { _weights = _weights };
        _weights = null;
        return described;
    }

    /// <summary>Checks, once, that the weights are exactly the tensors of the description.</summary>
    /// <exception cref="DeitException">A tensor is missing, not expected, or of another shape; or the file is missing
    /// or damaged.</exception>
    public void Check()
    {
        if (_checked)
            return;
        ModelFolder.Check(Weights, Description.Config, WeightsPath);
        _checked = true;
    }

    /// <summary>Builds the network, loads its weights and closes their file.</summary>
    /// <exception cref="DeitException">The weights are damaged or of another model.</exception>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    public INetwork Load(GpuDevice device)
    {
        // Checked before the device is asked for memory: a damaged file costs nothing.
        Check();
        INetwork network = Description.Config.Create(device);
        try
        {
            ModelFolder.CopyWeights(network.Parameters, Weights, WeightsPath);
            Dispose();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Closes the weights; the description stays.</summary>
    public void Dispose()
    {
        _weights?.Dispose();
        (_weights, _checked) = (null, false);
    }

    private static IWeights OpenSafetensors(string path) =>
        IsIndex(path) ? ShardedWeights.Open(path) : SafetensorsFile.Open(path);

    private static bool IsIndex(string weightsPath) =>
        System.IO.Path.GetFileName(weightsPath) == WeightsInFolder.IndexFile;

    // transformers and timm each write a property that no other program's file has: it shows whose file this is.
    private static ModelDescription Parse(ReadOnlyMemory<byte> json, string folder)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        bool isObject = root.ValueKind == JsonValueKind.Object;
        return isObject && root.TryGetProperty(HuggingFaceFolder.Mark, out _) ? HuggingFaceFolder.Describe(root, folder)
            : isObject && root.TryGetProperty(TimmHubConfig.Mark, out _) ? TimmHubConfig.Describe(root)
            : root.Deserialize(ModelJson.Description) ?? throw new JsonException("it is empty");
    }
}
