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
                "it lacks architecture or pretrained_cfg, by which timm describes a model; fetch the file again."
            );
        if (pretrained.CropMode is not (null or "center"))
            throw new DeitException(
                $"its crop_mode is '{pretrained.CropMode}', expected 'center'; no other is computed."
            );
        NetworkConfig reference = NetworkFamilies.Find(name);
        ImageSize size = pretrained.InputSize switch
        {
            null => reference.InputSize,
            [3, int height, int width] => new ImageSize(height, width),
            _ => throw new DeitException(
                $"its input_size is [{string.Join(", ", pretrained.InputSize)}], expected [3, height, width]."
            ),
        };
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
                            $"its interpolation is '{pretrained.Interpolation}', expected one of "
                                + $"{string.Join(", ", Enum.GetNames<ResampleFilter>()).ToLowerInvariant()}."
                        ),
                Mean = pretrained.Mean ?? ChannelValues.ImageNetMean,
                StandardDeviation = pretrained.Std ?? ChannelValues.ImageNetStandardDeviation,
            },
        };
    }
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
