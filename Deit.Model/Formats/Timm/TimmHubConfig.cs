using System.Text.Json;
using System.Text.Json.Serialization;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary><c>config.json</c> as timm writes it for the Hugging Face Hub, beside weights under the reference's names.</summary>
internal sealed record TimmHubConfig
{
    /// <summary>The property that only timm's files have.</summary>
    public const string Mark = "pretrained_cfg";

    public string? Architecture { get; init; }

    public int? NumClasses { get; init; }

    /// <summary>How the tokens become one answer: the class token's, their mean or another.</summary>
    public string? GlobalPool { get; init; }

    public TimmArguments? ModelArgs { get; init; }

    public string[]? LabelNames { get; init; }

    public TimmPretrained? PretrainedCfg { get; init; }

    /// <summary>The description that a folder of timm has of its model.</summary>
    /// <param name="root">The object in its <c>config.json</c>.</param>
    /// <exception cref="DeitException">It is of an architecture that is not known here, or prepares pictures in another way.</exception>
    /// <exception cref="JsonException">A value is of the wrong kind.</exception>
    public static ModelDescription Describe(JsonElement root)
    {
        TimmHubConfig config = root.Deserialize(TimmJson.Default.TimmHubConfig)!;
        if (config is not { Architecture: { } name, PretrainedCfg: { } pretrained })
            throw new DeitException(
                DeitErrorKind.Data,
                "it lacks architecture or pretrained_cfg, by which timm describes a model; fetch the file again."
            );
        if (pretrained.CropMode is not (null or "center"))
            throw new DeitException(
                DeitErrorKind.Data,
                $"its crop_mode is '{pretrained.CropMode}', expected 'center'; no other is computed."
            );
        NetworkConfig reference = NetworkFamilies.Find(name);
        CheckAnswer(config, reference);
        ImageSize size = pretrained.InputSize switch
        {
            null => reference.InputSize,
            [3, int height, int width] => new ImageSize(height, width),
            _ => throw new DeitException(
                DeitErrorKind.Data,
                $"its input_size is [{string.Join(", ", pretrained.InputSize)}], expected [3, height, width]."
            ),
        };
        if ((config.NumClasses ?? pretrained.NumClasses) == 0)
            throw new DeitException(
                DeitErrorKind.Data,
                "its num_classes is 0: it gives features and no classes; give a model with a head, or train one with --finetune."
            );
        int classes = config.NumClasses ?? pretrained.NumClasses ?? reference.NumClasses;
        return new ModelDescription
        {
            Name = name,
            Config = reference with { InputSize = size, NumClasses = classes },
            Labels = config.LabelNames ?? pretrained.LabelNames ?? ModelDescription.Indices(classes),
            Preprocess = new Preprocess
            {
                InputSize = size,
                CropRatio = pretrained.CropPct ?? 0.875,
                Interpolation =
                    Enum.TryParse(pretrained.Interpolation ?? "bicubic", ignoreCase: true, out ResampleFilter filter)
                    && Enum.IsDefined(filter)
                        ? filter
                        : throw new DeitException(
                            DeitErrorKind.Data,
                            $"its interpolation is '{pretrained.Interpolation}', expected one of "
                                + $"{string.Join(", ", Enum.GetNames<ResampleFilter>()).ToLowerInvariant()}."
                        ),
                Mean = pretrained.Mean ?? ChannelValues.ImageNetMean,
                StandardDeviation = pretrained.Std ?? ChannelValues.ImageNetStandardDeviation,
            },
        };
    }

    // The same weights answer otherwise where the mean of all patches goes into the head.
    private static void CheckAnswer(TimmHubConfig config, NetworkConfig reference)
    {
        string expected = reference is TransformerConfig ? "token" : "avg";
        if ((config.ModelArgs?.GlobalPool ?? config.GlobalPool) is { } pool && pool != expected)
            throw new DeitException(
                DeitErrorKind.Data,
                $"its global_pool is '{pool}', expected '{expected}'; no other is computed."
            );
        if (config.ModelArgs?.ClassToken == false)
            throw new DeitException(
                DeitErrorKind.Data,
                "its class_token is false, expected true; no other is computed."
            );
    }
}

/// <summary>timm's model_args: arguments that differ from those of the published model.</summary>
internal sealed record TimmArguments
{
    public bool? ClassToken { get; init; }

    public string? GlobalPool { get; init; }
}

/// <summary>timm's pretrained_cfg.</summary>
internal sealed record TimmPretrained
{
    public int[]? InputSize { get; init; }

    public double? CropPct { get; init; }

    public string? CropMode { get; init; }

    public string? Interpolation { get; init; }

    public ChannelValues? Mean { get; init; }

    public ChannelValues? Std { get; init; }

    public int? NumClasses { get; init; }

    public string[]? LabelNames { get; init; }
}

/// <summary>The JSON form of timm's file, generated at build time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TimmHubConfig))]
internal sealed partial class TimmJson : JsonSerializerContext;
