using System.Text.Json;
using System.Text.Json.Serialization;
using Deit.Model.Files;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>
/// <c>preprocessor_config.json</c> of transformers. The library's image processors use a size in different ways: DeiT's
/// and ViT's squeeze the picture into it, CLIP's and BiT's give it to the shorter side, ConvNeXt's divides it by
/// crop_pct first. A value that the file lacks is the default of the image processor; where the file names none, it is
/// the default of the model's own.
/// </summary>
internal sealed record HuggingFacePreprocess
{
    /// <summary>The file's name.</summary>
    public const string FileName = "preprocessor_config.json";

    // The factor that turns a byte into 0..1; a factor in the file that is this close to it is taken for it.
    private const double ByteFactor = 1 / 255.0,
        FactorTolerance = 1e-6;

    public string? ImageProcessorType { get; init; }

    public string? FeatureExtractorType { get; init; }

    public bool? DoResize { get; init; }

    public HuggingFaceSize? Size { get; init; }

    public double? CropPct { get; init; }

    public int? Resample { get; init; }

    public bool? DoCenterCrop { get; init; }

    public HuggingFaceSize? CropSize { get; init; }

    public bool? DoRescale { get; init; }

    public double? RescaleFactor { get; init; }

    public bool? DoNormalize { get; init; }

    public ChannelValues? ImageMean { get; init; }

    public ChannelValues? ImageStd { get; init; }

    /// <summary>Reads how a folder's pictures are to be prepared.</summary>
    /// <param name="folder">A folder of transformers.</param>
    /// <param name="modelType"><c>deit</c> or <c>vit</c>.</param>
    /// <param name="input">The model's input.</param>
    /// <exception cref="DeitException">There is no such file, or it asks for a preparation that is not possible
    /// here.</exception>
    public static Preprocess Read(string folder, string modelType, ImageSize input)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new CheckpointException(
                $"'{folder}' lacks {FileName}: nothing says how pictures are to be prepared; fetch it from where the model is from."
            );
        try
        {
            HuggingFacePreprocess settings =
                JsonSerializer.Deserialize(JsonFile.Read(path).Span, HuggingFaceJson.Default.HuggingFacePreprocess)
                ?? throw new JsonException("it is empty");
            Preprocess preprocess = settings.ToPreprocess(modelType, input);
            preprocess.Validate();
            return preprocess;
        }
        catch (DeitException error)
        {
            throw new CheckpointException($"'{path}' cannot be followed: {error.Message}", error);
        }
        catch (Exception error)
            when (error
                    is JsonException
                        or NotSupportedException
                        or IOException
                        or UnauthorizedAccessException
                        or ArgumentException
            )
        {
            throw new CheckpointException(
                $"'{path}' cannot be read as an image processor's settings "
                    + $"({error.Message.ReplaceLineEndings(" ").TrimEnd('.')}); fetch the file again.",
                error
            );
        }
    }

    /// <summary>
    /// The settings with which transformers prepares pictures as this program does. Its crop may lie one pixel off
    /// where half a pixel has to be rounded.
    /// </summary>
    public static HuggingFacePreprocess Of(Preprocess preprocess)
    {
        ImageSize input = preprocess.InputSize;
        bool square = input.Height == input.Width;
        if (!square && !preprocess.Stretch)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Pictures of {input} pixels that keep their proportions are prepared by no image processor "
                    + "of transformers; choose timm or onnx."
            );
        double ratio = preprocess.ResizeSize is { } shorter ? (double)input.Shorter / shorter : preprocess.CropRatio;
        HuggingFaceSize resized = square
            ? new(preprocess.ShorterSide, preprocess.ShorterSide, null)
            : new((int)(input.Height / ratio), (int)(input.Width / ratio), null);
        return new HuggingFacePreprocess
        {
            // DeiT's own class cannot keep proportions.
            ImageProcessorType = preprocess.Stretch ? "DeiTImageProcessor" : "CLIPImageProcessor",
            DoResize = true,
            Size = preprocess.Stretch ? resized : new HuggingFaceSize(null, null, preprocess.ShorterSide),
            Resample = ResampleCodes.First(pair => pair.Filter == preprocess.Interpolation).Code,
            DoCenterCrop = true,
            CropSize = new HuggingFaceSize(input.Height, input.Width, null),
            DoRescale = true,
            RescaleFactor = ByteFactor,
            DoNormalize = true,
            ImageMean = preprocess.Mean,
            ImageStd = preprocess.StandardDeviation,
        };
    }

    // PIL's enumeration; nearest (0) and Hamming (5) are no kernels here.
    private static readonly (int Code, ResampleFilter Filter)[] ResampleCodes =
    [
        (1, ResampleFilter.Lanczos),
        (2, ResampleFilter.Bilinear),
        (3, ResampleFilter.Bicubic),
        (4, ResampleFilter.Box),
    ];

    private static readonly ChannelValues Half = new(0.5f, 0.5f, 0.5f);

    private Preprocess ToPreprocess(string modelType, ImageSize input)
    {
        string processor = Processor(modelType);
        (int defaultSize, bool stretch, int defaultResample, bool defaultCrop) = processor switch
        {
            "DeiT" => (256, true, 3, true),
            "ViT" => (224, true, 2, false),
            "CLIP" or "Bit" => (224, false, 3, true),
            "ConvNext" => (384, false, 3, false),
            _ => throw new DeitException(
                DeitErrorKind.Data,
                $"it is of the class '{ImageProcessorType ?? FeatureExtractorType}', expected the image "
                    + "processor of DeiT, ViT, CLIP, BiT or ConvNeXt."
            ),
        };
        if (DoResize == false)
            throw new DeitException(DeitErrorKind.Data, "its do_resize is false, and pictures come in all sizes.");
        int code = Resample ?? defaultResample;
        if (ResampleCodes.FirstOrDefault(pair => pair.Code == code) is not (> 0, ResampleFilter filter))
            throw new DeitException(
                DeitErrorKind.Data,
                $"its resample is {code}, expected 1 (Lanczos), 2 (bilinear), 3 (bicubic) or 4 (box)."
            );
        HuggingFaceSize size = Size ?? new HuggingFaceSize(null, null, defaultSize) { IsNumber = true };
        Preprocess preprocess = Normalised() with { Interpolation = filter };
        if (processor == "ConvNext")
            return ConvNext(preprocess, size);
        stretch = size.IsBox || (size.IsNumber && stretch);
        ImageSize resized = size.Box;
        if (!(DoCenterCrop ?? defaultCrop))
        {
            if (!stretch)
                throw new DeitException(
                    DeitErrorKind.Data,
                    "it resizes the shorter side and crops nothing, so that pictures have no one size."
                );
            return preprocess with { InputSize = resized, CropRatio = 1, Stretch = true };
        }
        ImageSize crop = (CropSize ?? new HuggingFaceSize(null, null, input.Shorter)).Box;
        if (crop.Height != crop.Width || resized.Height != resized.Width)
        {
            if (!stretch || crop != resized)
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"it resizes to {resized} pixels and crops to {crop}, expected squares or one size."
                );
            return preprocess with { InputSize = crop, CropRatio = 1, Stretch = true };
        }
        double ratio = (double)crop.Height / resized.Height;
        return preprocess with
        {
            InputSize = crop,
            CropRatio = ratio,
            ResizeSize = (int)(crop.Height / ratio) == resized.Height ? null : resized.Height,
            Stretch = stretch,
        };
    }

    // Below 384 pixels the shorter side becomes size / crop_pct and the centre is kept. From 384 pixels on, the picture
    // is squeezed.
    private Preprocess ConvNext(Preprocess preprocess, HuggingFaceSize size)
    {
        int side = size.Box.Shorter;
        double ratio = CropPct ?? 224.0 / 256;
        return side >= 384
            ? preprocess with
            {
                InputSize = side,
                CropRatio = 1,
                Stretch = true,
            }
            : preprocess with
            {
                InputSize = side,
                CropRatio = ratio,
                ResizeSize = (int)(side / ratio),
            };
    }

    // (byte * factor - mean) / std as (byte / 255 - mean') / std'.
    private Preprocess Normalised()
    {
        double scale = 255 * (DoRescale == false ? 1 : RescaleFactor ?? ByteFactor);
        if (!(scale > 0 && double.IsFinite(scale)))
            throw new DeitException(
                DeitErrorKind.Data,
                $"its rescale_factor is {RescaleFactor}, expected a number above 0."
            );
        float factor = Math.Abs(scale - 1) < FactorTolerance ? 1 : (float)scale;
        (ChannelValues mean, ChannelValues deviation) =
            DoNormalize == false ? (default, new ChannelValues(1, 1, 1)) : (ImageMean ?? Half, ImageStd ?? Half);
        return new Preprocess { Mean = Scaled(mean), StandardDeviation = Scaled(deviation) };

        ChannelValues Scaled(ChannelValues values) =>
            new(values.Red / factor, values.Green / factor, values.Blue / factor);
    }

    // "DeiTImageProcessorFast" and the older "DeiTFeatureExtractor" are "DeiT".
    private string Processor(string modelType)
    {
        if ((ImageProcessorType ?? FeatureExtractorType) is not { } name)
            return modelType == "deit" ? "DeiT" : "ViT";
        foreach (string suffix in (string[])["Fast", "Pil", "ImageProcessor", "FeatureExtractor"])
            name = name.EndsWith(suffix, StringComparison.Ordinal) ? name[..^suffix.Length] : name;
        return name;
    }
}

/// <summary>A size in transformers' files: a number, <c>{"height", "width"}</c> or <c>{"shortest_edge"}</c>.</summary>
/// <param name="Height">Rows of a box.</param>
/// <param name="Width">Columns of a box.</param>
/// <param name="ShortestEdge">The shorter side.</param>
[JsonConverter(typeof(HuggingFaceSizeConverter))]
internal sealed record HuggingFaceSize(int? Height, int? Width, int? ShortestEdge)
{
    /// <summary>True of a bare number, which each image processor understands its own way.</summary>
    public bool IsNumber { get; init; }

    public bool IsBox => Height is not null;

    /// <summary>Height and width; a square of a number.</summary>
    public ImageSize Box =>
        Height is { } height && Width is { } width ? new ImageSize(height, width) : ShortestEdge!.Value;
}

/// <summary>See <see cref="HuggingFaceSize"/>.</summary>
internal sealed class HuggingFaceSizeConverter : JsonConverter<HuggingFaceSize>
{
    public override HuggingFaceSize Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartArray:
                ImageSize size = ImageSizeConverter.Read(ref reader);
                return size.Height == size.Width
                    ? new HuggingFaceSize(null, null, size.Height) { IsNumber = true }
                    : new HuggingFaceSize(size.Height, size.Width, null);
            case JsonTokenType.StartObject:
                return ReadObject(ref reader);
            default:
                return new HuggingFaceSize(null, null, ImageSizeConverter.Number(ref reader)) { IsNumber = true };
        }
    }

    private static HuggingFaceSize ReadObject(ref Utf8JsonReader reader)
    {
        Dictionary<string, int> numbers = [];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.Null)
                numbers[name] = ImageSizeConverter.Number(ref reader);
        }
        return numbers.TryGetValue("height", out int height) && numbers.TryGetValue("width", out int width)
                ? new HuggingFaceSize(height, width, null)
            : numbers.TryGetValue("shortest_edge", out int edge) && numbers.Count == 1
                ? new HuggingFaceSize(null, null, edge)
            : throw new JsonException("a size has height and width, or shortest_edge alone");
    }

    public override void Write(Utf8JsonWriter writer, HuggingFaceSize value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        if (value.ShortestEdge is { } edge)
            writer.WriteNumber("shortest_edge", edge);
        else
        {
            writer.WriteNumber("height", value.Height!.Value);
            writer.WriteNumber("width", value.Width!.Value);
        }
        writer.WriteEndObject();
    }
}
