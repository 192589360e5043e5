using BenchmarkDotNet.Attributes;
using Deit.Model.Images;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Loading;
using SkiaSharp;

namespace Deit.Bench.Host;

/// <summary>
/// Training images a second on the host: the transform alone, and decoding with it on all cores. Pictures have ImageNet's usual size.
/// </summary>
[MemoryDiagnoser]
public class DataPipelineBenchmarks
{
    private const int Pictures = 256,
        Width = 500,
        Height = 375;
    private readonly TrainTransform _transform = new(new TrainTransformOptions(), seed: 1);
    private readonly TrainTransform _augmentation = new(
        new TrainTransformOptions { AutoAugment = "rand-m9-mstd0.5-inc1", ErasingProbability = 0.25 },
        seed: 1
    );
    private readonly float[] _chw = new float[3 * 224 * 224];
    private RgbImage _image = null!;
    private BatchLoader _loader = null!;
    private int _next;

    /// <summary>Makes the pictures.</summary>
    [GlobalSetup]
    public void Setup()
    {
        JpegDataset dataset = new(Pictures);
        _image = dataset.Load(0);
        _loader = new BatchLoader(
            dataset,
            new RandomSampler(Pictures, seed: 1),
            _transform,
            new BatchLoaderOptions { BatchSize = 64, Training = true }
        );
    }

    /// <summary>Crop, resize, flip and normalise a decoded picture, on one core.</summary>
    [Benchmark]
    public void Transform() => _transform.Apply(_image, 0, _next++, _chw);

    /// <summary>The same with the reference's RandAugment and random erasing, on one core.</summary>
    [Benchmark]
    public void Augment() => _augmentation.Apply(_image, 0, _next++, _chw);

    /// <summary>Decode, transform and batch, on all cores; the time is that of one image.</summary>
    [Benchmark(OperationsPerInvoke = Pictures)]
    public int Epoch()
    {
        int count = 0;
        foreach (Batch batch in _loader.Epoch(_next++))
            using (batch)
                count += batch.Count;
        return count;
    }

    /// <summary>JPEG pictures in memory: the speed of the disk does not count.</summary>
    private sealed class JpegDataset(int count) : IImageSplit
    {
        private readonly byte[][] _files = [.. Enumerable.Range(0, count).Select(Encode)];

        public int Count => count;

        public IReadOnlyList<string> ClassNames { get; } = ["a", "b"];

        public int Label(int index) => index % 2;

        public string Name(int index) => $"picture {index}";

        public RgbImage Load(int index, ImagePart? part = null) =>
            ImageDecoder.Decode(_files[index], Name(index), part: part);

        // Smooth noise: about as many bytes a pixel as a photograph of quality 90.
        private static byte[] Encode(int seed)
        {
            using SKBitmap bitmap = new(Width, Height);
            using SKCanvas canvas = new(bitmap);
            using SKShader noise = SKShader.CreatePerlinNoiseFractalNoise(0.05f, 0.05f, 5, seed);
            using SKPaint paint = new() { Shader = noise };
            canvas.Clear(SKColors.White);
            canvas.DrawPaint(paint);
            using SKData data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 90);
            return data.ToArray();
        }
    }
}
