using Deit.Model.Images;

namespace Deit.Tests.Model.Images;

public sealed class PreprocessTests
{
    public static TheoryData<int, int, int, int?, double> Cases =>
        new()
        {
            // width, height, input size, resize size, crop ratio
            { 40, 30, 24, null, 0.875 },
            { 30, 40, 24, null, 0.875 },
            { 33, 33, 24, null, 0.9 },
            { 1, 1, 7, null, 0.875 },
            { 113, 37, 37, null, 1.0 },
            { 7, 113, 24, 24, 0.5 },
            { 50, 31, 24, 20, 0.875 },
            { 31, 50, 25, 20, 0.875 },
            { 20, 20, 25, 20, 0.875 },
            { 1, 400, 16, null, 0.875 },
            { 27, 27, 24, null, 0.875 },
            { 28, 29, 24, 27, 0.875 },
        };

    /// <summary>The reference's steps one after the other on whole pictures, as torchvision's source reads.</summary>
    [Theory, MemberData(nameof(Cases))]
    public void Equals_resize_pad_crop_and_normalise_done_in_turn(
        int width,
        int height,
        int inputSize,
        int? resizeSize,
        double ratio
    )
    {
        RgbImage image = TestImages.Noise(width, height, seed: width * height);
        ChannelValues mean = new(0.1f, 0.5f, 0.9f),
            deviation = new(0.5f, 0.25f, 2f);
        Preprocess preprocess = new()
        {
            InputSize = inputSize,
            ResizeSize = resizeSize,
            CropRatio = ratio,
            Mean = mean,
            StandardDeviation = deviation,
        };

        int size = resizeSize ?? (int)(inputSize / ratio);
        (int newWidth, int newHeight) =
            width <= height
                ? (size, (int)(size * height / (double)width))
                : ((int)(size * width / (double)height), size);
        RgbImage resized = Resampler.Resize(image, newWidth, newHeight, ResampleFilter.Bicubic);
        int padLeft = Math.Max(0, inputSize - newWidth) / 2,
            padTop = Math.Max(0, inputSize - newHeight) / 2;
        int cropLeft = HalfToEven(Math.Max(0, newWidth - inputSize)),
            cropTop = HalfToEven(Math.Max(0, newHeight - inputSize));

        float[] actual = new float[preprocess.OutputLength];
        Array.Fill(actual, float.NaN);
        preprocess.Apply(image, actual);
        for (int channel = 0; channel < 3; channel++)
        for (int y = 0; y < inputSize; y++)
        for (int x = 0; x < inputSize; x++)
        {
            int sourceX = x - padLeft + cropLeft,
                sourceY = y - padTop + cropTop;
            bool inside = sourceX >= 0 && sourceX < newWidth && sourceY >= 0 && sourceY < newHeight;
            byte value = inside ? resized.Pixels[(((sourceY * newWidth) + sourceX) * 3) + channel] : (byte)0;
            // The same operations, each rounded to float: equal bits.
            Assert.Equal(
                ((value / 255f) - mean[channel]) / deviation[channel],
                actual[(((channel * inputSize) + y) * inputSize) + x]
            );
        }

        static int HalfToEven(int rest) => (rest / 2) + (rest % 2 * (rest / 2 % 2)); // Python: round(rest / 2)
    }

    [Fact]
    public void Resizes_to_the_reference_lengths()
    {
        Assert.Equal(256, new Preprocess { InputSize = 224 }.ShorterSide);
        Assert.Equal(438, new Preprocess { InputSize = 384 }.ShorterSide);
    }

    [Fact]
    public void Survives_json()
    {
        Preprocess preprocess = new()
        {
            InputSize = 384,
            CropRatio = 0.9,
            ResizeSize = 400,
            Interpolation = ResampleFilter.Lanczos,
            Mean = new(0.5f, 0.25f, 0.1f),
        };
        Assert.Equal(preprocess, Preprocess.FromJson(preprocess.ToJson()));
        Assert.Equal(new Preprocess(), Preprocess.FromJson(new Preprocess().ToJson()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    public void Refuses_what_is_no_settings_object(string json) =>
        Assert.Throws<DeitException>(() => Preprocess.FromJson(json));

    [Theory]
    [InlineData("\"input_size\":224", "\"input_size\":0")]
    [InlineData("\"input_size\":224", "\"input_size\":100000")]
    [InlineData("\"crop_ratio\":0.875", "\"crop_ratio\":0")]
    [InlineData("\"crop_ratio\":0.875", "\"crop_ratio\":1e-300")]
    [InlineData("\"crop_ratio\":0.875", "\"crop_ratio\":0.875,\"resize_size\":-1")]
    [InlineData("0.406]", "0.406,1]")]
    [InlineData(",0.406]", "]")]
    [InlineData("0.406]", "1e99]")]
    [InlineData("0.225]", "0]")]
    [InlineData("Bicubic", "Nearest")]
    [InlineData("\"Bicubic\"", "17")]
    public void Refuses_settings_that_make_no_sense(string valid, string wrong)
    {
        string json = new Preprocess().ToJson();
        Assert.Contains(valid, json);
        Assert.Throws<DeitException>(() => Preprocess.FromJson(json.Replace(valid, wrong)));
    }

    [Fact]
    public void Is_thread_safe()
    {
        RgbImage image = TestImages.Noise(61, 47, seed: 3);
        Preprocess preprocess = new() { InputSize = 32 };
        float[] expected = new float[preprocess.OutputLength];
        preprocess.Apply(image, expected);
        Parallel.For(
            0,
            64,
            _ =>
            {
                float[] actual = new float[preprocess.OutputLength];
                preprocess.Apply(image, actual);
                Assert.Equal(expected, actual);
            }
        );
    }

    [Fact]
    public void Refuses_a_destination_of_another_size() =>
        Assert.Throws<ArgumentException>(() =>
            new Preprocess { InputSize = 8 }.Apply(TestImages.Noise(9, 9, seed: 1), new float[191])
        );
}
