using System.Text.Json;
using System.Text.Json.Serialization;
using Deit.Model.Checkpoints;
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

    /// <summary>Reads <c>config.json</c> of a model folder.</summary>
    /// <exception cref="DeitException">There is none, or it describes no model.</exception>
    public static ModelDescription Read(string folder)
    {
        string path = Path.Combine(folder, ModelFolder.ConfigFile);
        if (!Directory.Exists(folder))
            throw new CheckpointException($"Model folder '{folder}' does not exist; give a folder that training wrote, such as RUN/best.");
        if (!File.Exists(path))
            throw new CheckpointException($"'{folder}' is no model folder: it has no {ModelFolder.ConfigFile}; give a folder that training wrote, such as RUN/best.");
        try
        {
            ModelDescription description = JsonSerializer.Deserialize(File.ReadAllBytes(path), ModelJson.Default.ModelDescription) ?? throw new JsonException("it is empty");
            description.Validate(path);
            return description;
        }
        catch (DeitException error) when (error is not CheckpointException)
        {
            throw new CheckpointException($"'{path}' describes no model: {error.Message}", error);
        }
        catch (Exception error) when (error is JsonException or NotSupportedException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CheckpointException($"'{path}' cannot be read as a model's configuration ({error.Message.ReplaceLineEndings(" ")}); restore the file or train again.", error);
        }
    }

    /// <summary>Writes <c>config.json</c> into a folder, as a whole or not at all.</summary>
    /// <exception cref="DeitException">The file cannot be written.</exception>
    public void Write(string folder) =>
        AtomicFile.Write(Path.Combine(folder, ModelFolder.ConfigFile), stream => JsonSerializer.Serialize(stream, this, ModelJson.Default.ModelDescription));

    private void Validate(string path)
    {
        Config.Validate();
        Preprocess.Validate();
        if (Labels.Contains(null!))
            throw new CheckpointException($"'{path}' has labels without a name; restore the file or train again.");
        if (Labels.Count != Config.NumClasses)
            throw new CheckpointException($"'{path}' has {Labels.Count} labels for {Config.NumClasses} classes; restore the file or train again.");
        if (Preprocess.InputSize != Config.InputSize)
            throw new CheckpointException($"'{path}' prepares pictures of {Preprocess.InputSize} pixels for a model of {Config.InputSize}; restore the file or train again.");
    }
}

/// <summary>The JSON forms of this assembly, generated at build time.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true, RespectNullableAnnotations = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(ModelDescription))]
[JsonSerializable(typeof(NetworkConfig))]
internal sealed partial class ModelJson : JsonSerializerContext;
