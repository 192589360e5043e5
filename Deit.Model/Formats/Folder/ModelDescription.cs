using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Deit.Model.Files;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>What a model folder says of its weights in <c>config.json</c>: enough, with <c>model.safetensors</c>, to classify a picture.</summary>
internal sealed record ModelDescription
{
    /// <summary>The reference's name of the model, where it has one.</summary>
    public string? Name { get; init; }

    /// <summary>The architecture: its family and numbers.</summary>
    public required NetworkConfig Config { get; init; }

    /// <summary>The name of each class.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>How a picture becomes the model's input.</summary>
    public required Preprocess Preprocess { get; init; }

    /// <summary>How a distilled model's heads answer together, unless something else is asked for.</summary>
    public HeadFusion HeadFusion { get; init; }

    /// <summary>
    /// Reads <c>config.json</c> of a model folder: our own, or as transformers and timm write it. Of a single safetensors file it is the one
    /// beside it, or what the shapes of its tensors tell.
    /// </summary>
    /// <param name="path">The folder or file.</param>
    /// <exception cref="DeitException">There is none, or it describes no model.</exception>
    public static ModelDescription Read(string path)
    {
        if (File.Exists(path))
        {
            ModelSource source = ModelSource.Open(path);
            using IWeights weights = source.OpenWeights();
            return source.Describe(weights);
        }
        string file = Path.Combine(path, ModelFolder.ConfigFile);
        if (!Directory.Exists(path))
            throw new CheckpointException(
                $"Model folder '{path}' does not exist; give a folder that training wrote, such as RUN/best, or a .safetensors file."
            );
        if (!File.Exists(file))
            throw new CheckpointException(
                $"'{path}' is no model folder: it has no {ModelFolder.ConfigFile}; give a folder that training wrote, such as RUN/best."
            );
        try
        {
            ModelDescription description = Parse(File.ReadAllBytes(file), path);
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
                $"'{file}' cannot be read as a model's configuration ({error.Message.ReplaceLineEndings(" ")}); restore the file or train again.",
                error
            );
        }
    }

    /// <summary>Writes <c>config.json</c> into a folder, as a whole or not at all.</summary>
    /// <exception cref="DeitException">The file cannot be written.</exception>
    public void Write(string folder) =>
        AtomicFile.Write(
            Path.Combine(folder, ModelFolder.ConfigFile),
            stream => JsonSerializer.Serialize(stream, this, ModelJson.Default.ModelDescription)
        );

    /// <summary>Labels of classes without names: their indices.</summary>
    internal static IReadOnlyList<string> Indices(int classes) =>
        [.. Enumerable.Range(0, classes).Select(i => i.ToString(CultureInfo.InvariantCulture))];

    /// <summary>The same with the reference's name of the architecture, where it has one.</summary>
    internal static ModelDescription Named(ModelDescription description) =>
        description.Config is not DeitConfig config
            ? description
            : description with
            {
                Name = ModelZoo.Names.FirstOrDefault(name =>
                    ModelZoo.Get(name) with
                    {
                        NumClasses = config.NumClasses,
                        LayerNormEpsilon = config.LayerNormEpsilon,
                    } == config
                ),
            };

    // Whose file it is shows in what only that one's has.
    private static ModelDescription Parse(byte[] json, string folder)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        bool isObject = root.ValueKind == JsonValueKind.Object;
        return isObject && root.TryGetProperty("model_type", out _) ? HuggingFaceConfig.Describe(root, folder)
            : isObject && root.TryGetProperty(TimmHubConfig.Mark, out _) ? TimmHubConfig.Describe(root)
            : root.Deserialize(ModelJson.Default.ModelDescription) ?? throw new JsonException("it is empty");
    }

    private void Validate(string path)
    {
        Config.Validate();
        Preprocess.Validate();
        if (Labels.Contains(null!))
            throw new CheckpointException($"'{path}' has labels without a name; restore the file or train again.");
        if (Labels.Count != Config.NumClasses)
            throw new CheckpointException(
                $"'{path}' has {Labels.Count} labels for {Config.NumClasses} classes; restore the file or train again."
            );
        if (Preprocess.InputSize != Config.InputSize)
            throw new CheckpointException(
                $"'{path}' prepares pictures of {Preprocess.InputSize} pixels for a model of {Config.InputSize}; restore the file or train again."
            );
    }
}

/// <summary>The JSON forms of this assembly, generated at build time.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowOutOfOrderMetadataProperties = true
)]
[JsonSerializable(typeof(ModelDescription))]
[JsonSerializable(typeof(NetworkConfig))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class ModelJson : JsonSerializerContext;
