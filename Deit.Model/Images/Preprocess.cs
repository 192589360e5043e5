using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Deit.Model.Images;

/// <summary>
/// From a picture to a model's input, with the pixels of the reference evaluation: torchvision's Resize of the shorter side, CenterCrop,
/// ToTensor, Normalize. Immutable and thread-safe.
/// </summary>
/// <remarks>
/// The reference resizes by 256/224 at every input size (a crop ratio of 0.875; 438 for 384 pixels). timm's own
/// configurations use 0.9 at 224 and 1.0 at 384, which gives other accuracies for the same weights.
/// </remarks>
public sealed record Preprocess
{
    /// <summary>Size of the input, in pixels.</summary>
    [JsonRequired]
    public ImageSize InputSize { get; init; } = 224;

    /// <summary>Input size over the size that a picture is resized to cover.</summary>
    [JsonRequired]
    public double CropRatio { get; init; } = 0.875;

    /// <summary>The length the shorter side is resized to, where <see cref="CropRatio"/> is not to decide it.</summary>
    public int? ResizeSize { get; init; }

    /// <summary>
    /// True where a picture of any shape is squeezed whole into the shape of the input before the crop, as
    /// transformers' processors for DeiT and ViT do. False keeps the picture's proportions.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Stretch { get; init; }

    /// <summary>The kernel of the resize.</summary>
    [JsonRequired]
    public ResampleFilter Interpolation { get; init; } = ResampleFilter.Bicubic;

    /// <summary>Subtracted from pixels of 0..1.</summary>
    [JsonRequired]
    public ChannelValues Mean { get; init; } = ChannelValues.ImageNetMean;

    /// <summary>Divides the difference.</summary>
    [JsonRequired]
    public ChannelValues StandardDeviation { get; init; } = ChannelValues.ImageNetStandardDeviation;

    /// <summary>The length that a picture's shorter side is resized to, of a square input.</summary>
    [JsonIgnore]
    public int ShorterSide => ResizeSize ?? (int)(InputSize.Shorter / CropRatio);

    /// <summary>Floats that <see cref="Apply"/> writes: three planes of the input size.</summary>
    [JsonIgnore]
    public int OutputLength => checked(3 * InputSize.Pixels);

    /// <summary>Preprocesses a picture.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="chw">[3, H, W].</param>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    /// <exception cref="DeitException">The settings make no sense.</exception>
    public void Apply(RgbImage image, Span<float> chw)
    {
        Validate();
        if (chw.Length != OutputLength)
            throw new ArgumentException(
                $"Preprocessing to {InputSize} pixels writes {OutputLength} floats, the destination has "
                    + $"{chw.Length}.",
                nameof(chw)
            );
        (int width, int height) = ResizedSize(image.Width, image.Height);
        (int left, int columns, int padLeft) = CenterCrop(width, InputSize.Width);
        (int top, int rows, int padTop) = CenterCrop(height, InputSize.Height);

        int bytes = columns * rows * 3;
        byte[] cropped = ArrayPool<byte>.Shared.Rent(bytes);
        Resampling resampling = new(width, height, Interpolation)
        {
            Window = new PixelRectangle(left, top, columns, rows),
        };
        Resampler.Resize(image, resampling, cropped.AsSpan(0, bytes));
        int plane = InputSize.Pixels,
            stride = InputSize.Width;
        if (columns == stride)
        {
            Fill(chw, plane, 0, padTop * stride);
            Normalization.Apply(cropped.AsSpan(0, bytes), Mean, StandardDeviation, chw[(padTop * stride)..], plane);
            Fill(chw, plane, (padTop + rows) * stride, plane);
        }
        else
        {
            Fill(chw, plane, 0, plane);
            for (int y = 0; y < rows; y++)
            {
                Span<float> target = chw[(((padTop + y) * stride) + padLeft)..];
                Normalization.Apply(
                    cropped.AsSpan(y * columns * 3, columns * 3),
                    Mean,
                    StandardDeviation,
                    target,
                    plane
                );
            }
        }
        ArrayPool<byte>.Shared.Return(cropped);
    }

    /// <summary>
    /// The rectangle of a picture that the input shows, in pixels of the picture: left, top, width, height. It reaches
    /// beyond the picture where the input is padded.
    /// </summary>
    /// <param name="width">Columns of the picture.</param>
    /// <param name="height">Rows of the picture.</param>
    /// <exception cref="DeitException">The settings do not fit the picture.</exception>
    internal (double X, double Y, double Width, double Height) Shown(int width, int height)
    {
        (int resizedWidth, int resizedHeight) = ResizedSize(width, height);
        (int left, _, int padLeft) = CenterCrop(resizedWidth, InputSize.Width);
        (int top, _, int padTop) = CenterCrop(resizedHeight, InputSize.Height);
        double across = (double)width / resizedWidth,
            down = (double)height / resizedHeight;
        return ((left - padLeft) * across, (top - padTop) * down, InputSize.Width * across, InputSize.Height * down);
    }

    /// <summary>The settings as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, PreprocessJson.Default.Preprocess);

    /// <summary>Reads the text that <see cref="ToJson"/> wrote. Only <see cref="ResizeSize"/> may be missing, since a
    /// wrong default would show as lost accuracy alone.</summary>
    /// <param name="json">The JSON text.</param>
    /// <exception cref="DeitException">The text is no such JSON or the settings make no sense.</exception>
    public static Preprocess FromJson(string json)
    {
        try
        {
            Preprocess preprocess =
                JsonSerializer.Deserialize(json, PreprocessJson.Default.Preprocess)
                ?? throw new JsonException("Expected an object.");
            preprocess.Validate();
            return preprocess;
        }
        catch (JsonException error)
        {
            throw new DeitException(
                DeitErrorKind.Data,
                $"Reading the preprocessing settings failed: {error.Message.TrimEnd('.')}; correct them or restore the "
                    + "file.",
                error
            );
        }
    }

    /// <summary>Checks the settings.</summary>
    /// <exception cref="DeitException">A size, the ratio or a deviation is not positive, or too large.</exception>
    public void Validate()
    {
        const int Most = 16384; // pixels a side: beyond any model, and 3 * side^2 still fits an index
        if (InputSize is not { Shorter: >= 1, Longer: <= Most })
            throw new DeitException(
                DeitErrorKind.Data,
                $"Preprocessing asks for an input of {InputSize} pixels, expected 1 to {Most}; correct the input size."
            );
        if (
            ResizeSize is < 1 or > Most
            || (
                ResizeSize is null
                && !(CropRatio > 0 && InputSize.Shorter / CropRatio >= 1 && InputSize.Longer / CropRatio <= Most)
            )
        )
            throw new DeitException(
                DeitErrorKind.Data,
                $"Preprocessing asks for a resize to {ResizeSize?.ToString() ?? $"{InputSize} / {CropRatio}"} pixels, "
                    + $"expected 1 to {Most}; correct the crop ratio or the resize size."
            );
        if (!Enum.IsDefined(Interpolation))
            throw new DeitException(
                DeitErrorKind.Data,
                $"Preprocessing asks for the unknown interpolation {Interpolation}, expected one of "
                    + $"{string.Join(", ", Enum.GetNames<ResampleFilter>())}; correct it."
            );
        for (int channel = 0; channel < 3; channel++)
            if (
                !(
                    StandardDeviation[channel] > 0
                    && float.IsFinite(StandardDeviation[channel])
                    && float.IsFinite(Mean[channel])
                )
            )
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"Preprocessing normalises with mean {Mean} and deviation {StandardDeviation}, expected finite "
                        + "numbers and deviations above 0; correct them."
                );
    }

    /// <summary>
    /// True where pictures are resized by the length of their shorter side, false where they are resized to
    /// <see cref="CoveredSize"/>.
    /// </summary>
    [JsonIgnore]
    internal bool ByShorterSide => !Stretch && InputSize.Height == InputSize.Width;

    /// <summary>The size that a picture is resized to cover, or with <see cref="Stretch"/> to fill.</summary>
    [JsonIgnore]
    internal (int Width, int Height) CoveredSize
    {
        get
        {
            double ratio = ResizeSize is { } shorter ? (double)InputSize.Shorter / shorter : CropRatio;
            return InputSize.Height == InputSize.Width
                ? (ShorterSide, ShorterSide)
                : ((int)(InputSize.Width / ratio), (int)(InputSize.Height / ratio));
        }
    }

    // For a square input this is torchvision's Resize of one length: the shorter side gets the length, and the longer
    // side is truncated. For another input it is the smallest size that covers it, rounded, as in timm's
    // ResizeKeepRatio; there the resize size counts for the shorter side of the input.
    private (int Width, int Height) ResizedSize(int width, int height)
    {
        if (!ByShorterSide)
        {
            (int coveredWidth, int coveredHeight) = CoveredSize;
            if (Stretch)
                return (coveredWidth, coveredHeight);
            double factor = Math.Max(coveredWidth / (double)width, coveredHeight / (double)height);
            return (Length(width * factor), Length(height * factor));

            int Length(double value) =>
                value < int.MaxValue / 3
                    ? Math.Max(1, (int)Math.Round(value))
                    : throw new DeitException(
                        DeitErrorKind.Data,
                        $"Preprocessing an image of {width} x {height} failed: resized it would be {value:F0} pixels long; crop it first."
                    );
        }
        int size = ShorterSide;
        long longer = (long)((double)((long)size * Math.Max(width, height)) / Math.Min(width, height));
        if (longer > int.MaxValue / 3)
            throw new DeitException(
                DeitErrorKind.Data,
                $"Preprocessing an image of {width} x {height} failed: resized it would be {longer} pixels long; crop it first."
            );
        return width <= height ? (size, (int)longer) : ((int)longer, size);
    }

    // torchvision's CenterCrop along one axis. It rounds half to even as Python does. A shorter picture is padded, with
    // the odd pixel at the end.
    private static (int Start, int Count, int Padding) CenterCrop(int length, int wanted) =>
        length >= wanted
            ? ((int)Math.Round((length - wanted) / 2.0, MidpointRounding.ToEven), wanted, 0)
            : (0, length, (wanted - length) / 2);

    // Padding is black before it is normalised.
    private void Fill(Span<float> chw, int plane, int from, int to)
    {
        for (int channel = 0; channel < 3; channel++)
            chw[((channel * plane) + from)..((channel * plane) + to)]
                .Fill((0f - Mean[channel]) / StandardDeviation[channel]);
    }
}

/// <summary>Serialisation without reflection, so that ahead-of-time compilation works.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(Preprocess))]
internal sealed partial class PreprocessJson : JsonSerializerContext;
