using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Gpu;
using Deit.Tests.Model.Images;

namespace Deit.Tests.Model.Serving;

public sealed class EngineInputTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_way_in_gives_the_same_answer()
    {
        using DeitModel model = DeitModel.Load(EngineModels.Write(_folder, EngineModels.Plain), TestDevice.Any);
        RgbImage image = TestImages.Noise(37, 41, 1);
        string path = _folder["a.png"];
        ImageEncoder.SavePng(image, path);
        byte[] encoded = File.ReadAllBytes(path);
        IReadOnlyList<ClassScore> expected = model.Classify(image).Scores;
        CancellationToken cancellation = TestContext.Current.CancellationToken;

        Assert.Equal(expected, model.Classify(path).Scores);
        Assert.Equal(expected, model.Classify(encoded).Scores);
        using (MemoryStream stream = new(encoded))
            Assert.Equal(expected, model.Classify(stream).Scores);
        Assert.Equal(expected, model.Classify(image.Pixels, 37, 41, 37 * 3, PixelFormat.Rgb24).Scores);
        Assert.Equal(expected, (await model.ClassifyAsync(image, cancellation)).Scores);
        Assert.Equal(expected, (await model.ClassifyAsync(path, cancellation)).Scores);
        Assert.Equal(expected, (await model.ClassifyAsync(encoded.AsMemory(), cancellation)).Scores);
        using (MemoryStream stream = new(encoded))
            Assert.Equal(expected, (await model.ClassifyAsync(stream, cancellation)).Scores);
        Assert.Equal(model.Embed(image).Class, model.Embed(path).Class);
        Assert.Equal(model.ComputeAttention(image).Rollout.Values, model.ComputeAttention(path).Rollout.Values);
    }

    [Fact]
    public async Task A_picture_that_cannot_be_read_does_not_lose_the_others()
    {
        using DeitModel model = DeitModel.Load(EngineModels.Write(_folder, EngineModels.Plain), TestDevice.Any);
        RgbImage[] images = EngineModels.Pictures(24);
        string[] paths = [.. images.Select((_, i) => _folder[$"{i}.png"])];
        for (int i = 0; i < paths.Length; i++)
            ImageEncoder.SavePng(images[i], paths[i]);
        File.WriteAllText(paths[5], "no picture");
        File.Delete(paths[17]);
        SynchronousProgress progress = new();
        IReadOnlyList<PictureResult> results = await model.ClassifyAsync(
            paths,
            progress,
            TestContext.Current.CancellationToken
        );
        Assert.Equal(paths, results.Select(result => result.Path));
        Assert.Equal(Enumerable.Range(1, 24), progress.Seen.Order());
        for (int i = 0; i < paths.Length; i++)
            if (i is 5 or 17)
                Assert.Contains(paths[i], Assert.IsType<ImageException>(results[i].Error).Message);
            else
                Assert.Equal(model.Classify(images[i]).Scores, results[i].Classification!.Scores);
        Assert.Empty(
            await model.ClassifyAsync(Array.Empty<string>(), cancellationToken: TestContext.Current.CancellationToken)
        );
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            model.ClassifyAsync(paths, cancellationToken: new CancellationToken(canceled: true))
        );
    }

    // The oracle of each format: the bytes of each channel picked out one by one.
    [Theory]
    [InlineData(PixelFormat.Rgb24, 3, 0, 1, 2)]
    [InlineData(PixelFormat.Bgr24, 3, 2, 1, 0)]
    [InlineData(PixelFormat.Rgba32, 4, 0, 1, 2)]
    [InlineData(PixelFormat.Bgra32, 4, 2, 1, 0)]
    [InlineData(PixelFormat.Gray8, 1, 0, 0, 0)]
    public void Pixels_of_every_format_with_any_stride(PixelFormat format, int bytes, int red, int green, int blue)
    {
        foreach (
            (int width, int height, int padding) in ((int, int, int)[])[(1, 1, 0), (7, 5, 0), (7, 5, 3), (113, 37, 64)]
        )
        {
            int stride = (width * bytes) + padding;
            byte[] pixels = new byte[(stride * (height - 1)) + (width * bytes)]; // the last row without padding
            new Random(width).NextBytes(pixels);
            RgbImage image = RgbImage.FromPixels(pixels, width, height, stride, format);
            Assert.Equal((width, height), (image.Width, image.Height));
            for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
            {
                int from = (y * stride) + (x * bytes),
                    to = ((y * width) + x) * 3;
                Assert.Equal(
                    (pixels[from + red], pixels[from + green], pixels[from + blue]),
                    (image.Pixels[to], image.Pixels[to + 1], image.Pixels[to + 2])
                );
            }
        }
    }

    [Theory]
    [InlineData(0, 4, 12, PixelFormat.Rgb24, 48, "0 x 4")]
    [InlineData(4, -1, 12, PixelFormat.Rgb24, 48, "4 x -1")]
    [InlineData(int.MaxValue, int.MaxValue, int.MaxValue, PixelFormat.Gray8, 48, "at most")]
    [InlineData(4, 4, 11, PixelFormat.Rgb24, 48, "stride of 11 bytes, expected at least 12")]
    [InlineData(4, 4, -12, PixelFormat.Rgb24, 48, "stride of -12")]
    [InlineData(4, 4, 12, PixelFormat.Rgb24, 47, "47 bytes, expected at least 48")]
    [InlineData(4, 4, 16, PixelFormat.Rgba32, 63, "63 bytes, expected at least 64")]
    [InlineData(4, 4, int.MaxValue, PixelFormat.Rgb24, 48, "expected at least 6442450953")]
    [InlineData(4, 4, 16, (PixelFormat)99, 64, "format 99")]
    public void Pixels_whose_numbers_do_not_fit_are_refused(
        int width,
        int height,
        int stride,
        PixelFormat format,
        int length,
        string expected
    )
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() =>
            RgbImage.FromPixels(new byte[length], width, height, stride, format)
        );
        Assert.Contains(expected, error.Message);
        Assert.EndsWith(".", error.Message);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        string path = EngineModels.Write(_folder, EngineModels.Plain);
        foreach (
            DeitModelOptions options in (DeitModelOptions[])
                [
                    TestDevice.Any with
                    {
                        MaxBatchSize = 0,
                    },
                    TestDevice.Any with
                    {
                        MaxBatchSize = 257,
                    },
                    TestDevice.Any with
                    {
                        MaxDelay = TimeSpan.FromSeconds(-1),
                    },
                    TestDevice.Any with
                    {
                        MaxDelay = TimeSpan.FromSeconds(11),
                    },
                ]
        )
            Assert.EndsWith(".", Assert.Throws<ArgumentException>(() => DeitModel.Load(path, options)).Message);
        Assert.Throws<DeitException>(() =>
            DeitModel.Load(path, TestDevice.Any with { Precision = Deit.Gpu.DType.U32 })
        );
    }

    private sealed class SynchronousProgress : IProgress<int>
    {
        private readonly System.Collections.Concurrent.ConcurrentBag<int> _seen = [];

        public IEnumerable<int> Seen => _seen;

        public void Report(int value) => _seen.Add(value);
    }
}
