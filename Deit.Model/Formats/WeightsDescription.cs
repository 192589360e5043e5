using System.Text.Json;
using Deit.Model.Files;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>Tells from the names and shapes of weights which model they are of, where nothing else says it.</summary>
internal static class WeightsDescription
{
    /// <summary>The free-form string of a file that holds its class names, a JSON list.</summary>
    public const string LabelsKey = "labels";

    /// <summary>
    /// Describes the model. The architecture comes from the shapes. The labels come from the metadata, or are the
    /// indices of the classes. The preprocessing is that of the same reference model, or else that of DeiT for
    /// ImageNet.
    /// </summary>
    /// <param name="weights">Under the reference's names.</param>
    /// <param name="path">The name of the file in messages.</param>
    /// <exception cref="CheckpointException">They are of no known family, or leave a number open.</exception>
    public static ModelDescription Of(IWeights weights, string path)
    {
        NetworkConfig config = Config(weights, path);
        string? name = NetworkFamilies.NameOf(config);
        return new ModelDescription
        {
            Name = name,
            Config = config,
            Labels = Labels(weights, config.NumClasses),
            Preprocess = name is null
                ? new Preprocess { InputSize = config.InputSize }
                : NetworkFamilies.Model(name).Preprocess,
            HeadFusion = weights is HuggingFaceWeights theirs ? theirs.HeadFusion : HeadFusion.MeanLogits,
        };
    }

    /// <summary>The class names in the metadata where there are as many as classes, else the indices.</summary>
    public static IReadOnlyList<string> Labels(IWeights weights, int classes)
    {
        try
        {
            if (
                weights.Metadata.TryGetValue(LabelsKey, out string? json)
                && JsonSerializer.Deserialize(json, LabelsJson.Default.StringArray) is { } labels
                && labels.Length == classes
                && !labels.Contains(null)
            )
                return labels;
        }
        catch (JsonException)
        {
            // A string of that name that another program wrote for another purpose.
        }
        return ModelDescription.Indices(classes);
    }

    private static NetworkConfig Config(IWeights weights, string path)
    {
        try
        {
            return NetworkFamilies.FromWeights(weights.Shapes)
                ?? throw new DeitException(
                    DeitErrorKind.Data,
                    ForeignParts.Missing([.. weights.Shapes.Keys])
                        ?? "they are not named as those of a family that is known here"
                );
        }
        catch (Exception error) when (error is OverflowException or DeitException)
        {
            string why =
                ForeignParts.OfNoFamily(weights.Shapes.Keys) is var (name, meaning)
                    ? $"'{name}' shows that their model has {meaning}, and no such model is computed here"
                : error is DeitException ? error.Message.TrimEnd('.')
                : "a shape is too large";
            throw new CheckpointException(
                $"'{path}' does not say which model its weights are of, and their shapes do not either: {why}; "
                    + "lay the config.json beside them that belongs to them, "
                    + "or write a model folder with deit convert --model NAME.",
                error
            );
        }
    }
}
