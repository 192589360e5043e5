using System.Text.Json;
using System.Text.Json.Serialization;
using Deit.Model.Files;

namespace Deit.Model;

/// <summary>
/// Model folders of the Hugging Face library transformers: <c>config.json</c> and <c>preprocessor_config.json</c>
/// beside the weights.
/// </summary>
internal static class HuggingFaceFolder
{
    /// <summary>The property that only transformers' files have.</summary>
    public const string Mark = "model_type";

    private static IEnumerable<HuggingFaceLayout> Layouts =>
        NetworkFamilies.All.Select(family => family.HuggingFace).OfType<HuggingFaceLayout>();

    /// <summary>The description that a folder of transformers has of its model.</summary>
    /// <param name="root">The object in its <c>config.json</c>.</param>
    /// <param name="folder">Where the preprocessing's file lies.</param>
    /// <exception cref="DeitException">It is of another architecture, or does not say how pictures are prepared.</exception>
    /// <exception cref="JsonException">A value is of the wrong kind.</exception>
    public static ModelDescription Describe(JsonElement root, string folder)
    {
        string[] known = [.. Layouts.SelectMany(layout => layout.Classes)];
        string[]? architectures = root.Deserialize(HuggingFaceJson.Default.HuggingFaceHeader)!.Architectures;
        string architecture = architectures is [{ } only]
            ? only
            : throw new DeitException(
                DeitErrorKind.Data,
                $"it names {architectures?.Length ?? 0} architectures, expected one of {string.Join(", ", known)}; "
                    + "save a model that classifies."
            );
        HuggingFaceLayout layout =
            Layouts.FirstOrDefault(layout => layout.Classes.Contains(architecture))
            ?? throw new DeitException(
                DeitErrorKind.Data,
                $"it is a {architecture}, expected {string.Join(", ", known[..^1])} or {known[^1]}; "
                    + "save a model that classifies."
            );
        HuggingFaceModel model = layout.Read(root, architecture);
        return new ModelDescription
        {
            Name = NetworkFamilies.NameOf(model.Config),
            Config = model.Config,
            Labels = model.Labels,
            Preprocess = HuggingFacePreprocess.Read(folder, model.ModelType, model.Config.InputSize),
            HeadFusion = model.HeadFusion,
        };
    }

    /// <summary>Writes both files into a folder.</summary>
    /// <param name="description">The model.</param>
    /// <param name="folder">An existing folder.</param>
    /// <returns>The library's names of a parameter, which share its rows out in this order; none of a parameter that
    /// its class lacks.</returns>
    /// <exception cref="DeitException">A file cannot be written, or transformers has no class for such a model.</exception>
    public static Func<string, string[]> Write(ModelDescription description, string folder)
    {
        NetworkConfig config = description.Config;
        if (NetworkFamilies.Of(config).HuggingFace is not { } layout)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"A {config.Family} has no Hugging Face layout here; expected a DeiT, or choose timm or onnx."
            );
        HuggingFaceTarget target = layout.Write(config, description.Labels, description.HeadFusion);
        HuggingFacePreprocess preprocess = HuggingFacePreprocess.Of(description.Preprocess);
        AtomicFile.Write(Path.Combine(folder, ModelFolder.ConfigFile), target.WriteConfig);
        AtomicFile.Write(
            Path.Combine(folder, HuggingFacePreprocess.FileName),
            stream => JsonSerializer.Serialize(stream, preprocess, HuggingFaceJson.Default.HuggingFacePreprocess)
        );
        return target.NamesOf;
    }
}

/// <summary>As much of a <c>config.json</c> of transformers as tells the family.</summary>
/// <param name="Architectures">The library's classes that load the weights.</param>
internal sealed record HuggingFaceHeader(string[]? Architectures);

/// <summary>The JSON forms of transformers' files, generated at build time.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowReadingFromString
)]
[JsonSerializable(typeof(HuggingFaceHeader))]
[JsonSerializable(typeof(HuggingFacePreprocess))]
internal sealed partial class HuggingFaceJson : JsonSerializerContext;
