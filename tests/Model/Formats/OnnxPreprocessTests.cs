using Deit.Cli.Commands;
using Deit.Model;
using Deit.Model.Files;
using Deit.Model.Images;
using Deit.Tests.Gpu;
using Deit.Tests.Model.Images;
using Deit.Tests.Model.Serving;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Deit.Tests.Model.Formats;

/// <summary>Preprocessing inside an ONNX file, run by ONNX Runtime, beside ours, whose pixels are Pillow's.</summary>
public sealed class OnnxPreprocessTests
{
    public static TheoryData<string, Preprocess> Settings =>
        new()
        {
            { "the reference's", new() },
            {
                "timm's at 384",
                new() { InputSize = 384, CropRatio = 1 }
            },
            {
                "bilinear",
                new() { InputSize = 96, Interpolation = ResampleFilter.Bilinear }
            },
            {
                "squeezed",
                new() { InputSize = 64, Stretch = true }
            },
            {
                "a wide input",
                new() { InputSize = new ImageSize(48, 80), CropRatio = 0.9 }
            },
            {
                "squeezed into a wide input",
                new() { InputSize = new ImageSize(48, 80), Stretch = true }
            },
            {
                "padded",
                new() { InputSize = 64, ResizeSize = 51 }
            },
            {
                "a padded wide input",
                new() { InputSize = new ImageSize(40, 64), ResizeSize = 33 }
            },
        };

    /// <summary>
    /// A difference of one level between the passes can become one of two where noise of black and white is enlarged, whose
    /// weights add up to more than 1 without their signs.
    /// </summary>
    [Theory]
    [MemberData(nameof(Settings))]
    public void Pixels_are_within_one_level_of_Pillows(string name, Preprocess preprocess)
    {
        OnnxGraph graph = new(OnnxPreprocess.Opset);
        string value = OnnxPreprocess.Build(graph, preprocess);
        graph.Output(value, "pixel_values", 1, 3, preprocess.InputSize.Height, preprocess.InputSize.Width);
        using InferenceSession session = new(graph.ToBytes("A test", "preprocess"));
        (int Largest, long Different, long All) total = default;
        foreach (
            RgbImage image in (RgbImage[])
                [
                    TestImages.Noise(1, 1, 1),
                    TestImages.Noise(1, 9, 2),
                    TestImages.Noise(9, 1, 3),
                    TestImages.Noise(2, 3, 4),
                    TestImages.Noise(63, 65, 5),
                    TestImages.Noise(224, 224, 6),
                    TestImages.Noise(256, 256, 7),
                    TestImages.Noise(257, 255, 8),
                    TestImages.Noise(333, 500, 9),
                    TestImages.Noise(640, 427, 10),
                    TestImages.Smooth(1203, 807),
                    TestImages.Smooth(100, 70),
                    RgbImage.Decode(Repository.File("docs", "desktop.png")),
                    RgbImage.Decode(Repository.File("docs", "web.png")),
                    TestImages.Noise(2000, 1511, 11),
                    TestImages.Noise(31, 1999, 12),
                ]
        )
        {
            (int largest, int different) = Compare(session, preprocess, image);
            bool enlarged = Math.Min(image.Width, image.Height) < preprocess.ShorterSide;
            Assert.True(
                largest <= (enlarged ? 2 : 1) && different <= preprocess.OutputLength / 100,
                $"{name}, {image.Width} x {image.Height}: {different} values differ, by up to {largest} levels"
            );
            total = (
                Math.Max(total.Largest, largest),
                total.Different + different,
                total.All + preprocess.OutputLength
            );
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{name}: {total.Different} of {total.All} values differ, by up to {total.Largest}"
        );
    }

    [Theory]
    [InlineData(ResampleFilter.Box)]
    [InlineData(ResampleFilter.Lanczos)]
    public void A_filter_that_ONNX_lacks_is_refused(ResampleFilter filter)
    {
        DeitException error = Assert.Throws<DeitException>(() =>
            OnnxPreprocess.Build(new OnnxGraph(OnnxPreprocess.Opset), new Preprocess { Interpolation = filter })
        );
        Assert.Contains($"{filter}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(EngineModels.Plain)]
    [InlineData(EngineModels.Distilled)]
    public void A_converted_file_takes_pictures_of_any_size_and_answers_as_the_model(string name)
    {
        using TemporaryFolder folder = new();
        string model = EngineModels.Write(folder, name),
            path = folder["model.onnx"];
        Assert.Equal(0, ConvertCommand.Run(model, path, new ConvertOptions { WithPreprocessing = true }));
        using DeitModel ours = DeitModel.Load(model, TestDevice.Any);
        using InferenceSession session = new(path);
        Assert.Equal([-1, -1, 3], session.InputMetadata["image"].Dimensions);
        Assert.Equal(TensorElementType.UInt8, session.InputMetadata["image"].ElementDataType);
        Assert.Equal([1, 10], session.OutputMetadata["logits"].Dimensions);
        Assert.Contains("preprocess", session.ModelMetadata.CustomMetadataMap.Keys);
        using RunOptions run = new();
        int side = ours.Preprocess.ShorterSide;
        foreach (RgbImage image in (RgbImage[])[TestImages.Noise(side, side + 9, 1), .. EngineModels.Pictures(4)])
        {
            using OrtValue input = OrtValue.CreateTensorValueFromMemory(image.Pixels, [image.Height, image.Width, 3]);
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, ["image"], [input], ["logits"]);
            float[] expected = ours.ComputeLogits(image),
                actual = outputs[0].GetTensorDataAsSpan<float>().ToArray();
            // Without a resize the pixels are equal, and two implementations round differently. With one, a few pixels differ by a
            // level, which is 0.02 after normalisation.
            double tolerance = image.Width == side ? 1e-5 : 1e-3;
            Assert.Equal(0, expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max(), tolerance);
        }
    }

    // Levels of 255 by which values differ at most, and how many differ.
    private static (int Largest, int Different) Compare(InferenceSession session, Preprocess preprocess, RgbImage image)
    {
        float[] expected = new float[preprocess.OutputLength];
        preprocess.Apply(image, expected);
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(image.Pixels, [image.Height, image.Width, 3]);
        using RunOptions run = new();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, ["image"], [input], ["pixel_values"]);
        ReadOnlySpan<float> actual = outputs[0].GetTensorDataAsSpan<float>();
        Assert.Equal(expected.Length, actual.Length);
        int largest = 0,
            different = 0,
            plane = expected.Length / 3;
        for (int i = 0; i < expected.Length; i++)
        {
            double levels = Math.Abs(expected[i] - actual[i]) * preprocess.StandardDeviation[i / plane] * 255;
            largest = Math.Max(largest, (int)Math.Round(levels));
            different += levels > 0.5 ? 1 : 0;
        }
        return (largest, different);
    }
}
