using System.Globalization;
using System.Text.Json;
using Deit.Model.Files;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>
/// The description of a model in <c>config.json</c>: enough, with <c>model.safetensors</c>, to classify a
/// picture.
/// </summary>
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

    /// <summary>Writes <c>config.json</c> into a folder, as a whole or not at all.</summary>
    /// <exception cref="DeitException">The file cannot be written.</exception>
    public void Write(string folder) =>
        AtomicFile.Write(
            Path.Combine(folder, ModelFolder.ConfigFile),
            stream => JsonSerializer.Serialize(stream, this, ModelJson.Description)
        );

    /// <summary>Labels of classes without names: their indices.</summary>
    internal static IReadOnlyList<string> Indices(int classes) =>
        [.. Enumerable.Range(0, classes).Select(i => i.ToString(CultureInfo.InvariantCulture))];

    /// <summary>Checks that the numbers make a model and fit each other.</summary>
    /// <param name="path">The name of the file in messages.</param>
    /// <exception cref="DeitException">They do not.</exception>
    public void Validate(string path)
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
                $"'{path}' prepares pictures of {Preprocess.InputSize} pixels for a model of "
                    + $"{Config.InputSize}; restore the file or train again."
            );
    }
}
