using System.Globalization;
using System.Text.Json;
using Deit.Model.Files;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>Tells what a DeiT's weights are of from their names and shapes, where nothing else says it.</summary>
internal static class WeightsDescription
{
    /// <summary>The free-form string of a file that holds its class names, a JSON list.</summary>
    public const string LabelsKey = "labels";

    // What every DeiT has, and no tensor shows.
    private const int HeadDimension = 64;

    /// <summary>
    /// Architecture from the shapes, with heads of 64 dimensions and a square input; labels from the metadata, or the indices of the classes;
    /// the reference's preprocessing for ImageNet.
    /// </summary>
    /// <param name="weights">Under the reference's names.</param>
    /// <param name="path">What messages call them.</param>
    /// <exception cref="CheckpointException">They are no DeiT's, or leave a number open.</exception>
    public static ModelDescription Of(IWeights weights, string path)
    {
        DeitConfig config = Config(weights, path);
        return ModelDescription.Named(
            new ModelDescription
            {
                Config = config,
                Labels = Labels(weights, config.NumClasses),
                Preprocess = new Preprocess { InputSize = config.InputSize },
                HeadFusion = weights is HuggingFaceWeights { ClassTokenOnly: true }
                    ? HeadFusion.ClassToken
                    : HeadFusion.MeanLogits,
            }
        );
    }

    /// <summary>The class names in the metadata where there are as many as classes, else the indices.</summary>
    public static IReadOnlyList<string> Labels(IWeights weights, int classes)
    {
        try
        {
            if (
                weights.Metadata.TryGetValue(LabelsKey, out string? json)
                && JsonSerializer.Deserialize(json, ModelJson.Default.StringArray) is { } labels
                && labels.Length == classes
                && !labels.Contains(null)
            )
                return labels;
        }
        catch (JsonException)
        {
            // Somebody else's string of that name.
        }
        return ModelDescription.Indices(classes);
    }

    private static DeitConfig Config(IWeights weights, string path)
    {
        if (
            weights.Shapes is var shapes
            && !(
                Has("cls_token", 3)
                && Has("pos_embed", 3)
                && Has("patch_embed.proj.weight", 4)
                && Has("head.weight", 2)
                && Has("blocks.0.mlp.fc1.weight", 2)
            )
        )
            throw Unclear("they are not named as a DeiT's");
        long dim = shapes["cls_token"][2],
            patch = shapes["patch_embed.proj.weight"][3],
            tokens = shapes["pos_embed"][1];
        bool distilled = shapes.ContainsKey("dist_token");
        int depth = 0;
        while (shapes.ContainsKey($"blocks.{depth.ToString(CultureInfo.InvariantCulture)}.norm1.weight"))
            depth++;
        if (dim % HeadDimension != 0 || dim is < 1 or > int.MaxValue)
            throw Unclear($"a width of {dim} does not tell the number of heads");
        long patches = tokens - (distilled ? 2 : 1),
            side = (long)Math.Round(Math.Sqrt(Math.Max(0, patches)));
        if (side < 1 || side * side != patches)
            throw Unclear($"{patches} patches make no square");
        try
        {
            return new DeitConfig
            {
                EmbedDim = checked((int)dim),
                Depth = depth,
                NumHeads = checked((int)(dim / HeadDimension)),
                PatchSize = checked((int)patch),
                MlpRatio = DeitConfig.RatioOf(checked((int)dim), checked((int)shapes["blocks.0.mlp.fc1.weight"][0])),
                InputSize = checked((int)(side * patch)),
                NumClasses = checked((int)shapes["head.weight"][0]),
                Distilled = distilled,
            }.Validate();
        }
        catch (Exception error) when (error is OverflowException or DeitException)
        {
            throw Unclear(error is DeitException ? error.Message.TrimEnd('.') : "a shape is too large", error);
        }

        bool Has(string name, int rank) => shapes.TryGetValue(name, out long[]? shape) && shape.Length == rank;

        CheckpointException Unclear(string why, Exception? inner = null) =>
            new(
                $"'{path}' does not say which model its weights are of, and their shapes do not either: {why}; lay the config.json beside them that belongs to them, or write a model folder with deit convert --model NAME.",
                inner
            );
    }
}
