using BenchmarkDotNet.Attributes;
using Deit.Model.Images;
using SkiaSharp;

namespace Deit.Bench.Host;

/// <summary>From an encoded photograph to a model's input, on pictures of ImageNet's usual size and of a camera's.</summary>
[MemoryDiagnoser]
public class ImageBenchmarks
{
    private readonly Preprocess _preprocess = new();
    private byte[] _jpeg = [],
        _cropped = [];
    private float[] _input = [];
    private RgbImage _image = new(1, 1, new byte[3]);

    /// <summary>Size of the photograph.</summary>
    [Params("500x375", "4000x3000")]
    public string Size { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        int[] size = [.. Size.Split('x').Select(int.Parse)];
        using SKBitmap bitmap = new(new SKImageInfo(size[0], size[1], SKColorType.Rgb888x, SKAlphaType.Opaque));
        Random random = new(1);
        Span<byte> pixels = bitmap.GetPixelSpan();
        for (int i = 0; i < pixels.Length; i++) // waves and a little noise: the entropy of a photograph, about two bits a pixel
            pixels[i] = (byte)(
                128
                + (60 * Math.Sin(i / 4 % size[0] * 0.02))
                + (40 * Math.Cos(i / 4 / size[0] * 0.05))
                + random.Next(-8, 9)
            );
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 90);
        _jpeg = data.ToArray();
        _image = ImageDecoder.Decode(_jpeg, Size);
        _input = new float[_preprocess.OutputLength];
        _cropped = new byte[224 * 224 * 3];
    }

    [Benchmark]
    public RgbImage Decode() => ImageDecoder.Decode(_jpeg, Size);

    [Benchmark]
    public RgbImage DecodeReduced() => ImageDecoder.Decode(_jpeg, Size, minimumSide: 224);

    /// <summary>A training crop of two thirds of the picture.</summary>
    [Benchmark]
    public void ResizeCrop()
    {
        PixelRectangle crop = new(_image.Width / 6, _image.Height / 6, _image.Width * 2 / 3, _image.Height * 2 / 3);
        Resampler.Resize(_image, new Resampling(224, 224, ResampleFilter.Bicubic) { Crop = crop }, _cropped);
    }

    [Benchmark]
    public void Normalise() =>
        Normalization.Apply(
            _cropped,
            ChannelValues.ImageNetMean,
            ChannelValues.ImageNetStandardDeviation,
            _input,
            224 * 224
        );

    [Benchmark]
    public void PreprocessForEvaluation() => _preprocess.Apply(_image, _input);
}
