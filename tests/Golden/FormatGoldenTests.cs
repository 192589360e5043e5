using System.Runtime.InteropServices;
using Deit.Cli.Commands;
using Deit.Cli.Conversion;
using Deit.Model;
using Deit.Model.Files;
using Deit.Tests.Gpu;

namespace Deit.Tests.Golden;

/// <summary>
/// The small distilled model as the reference, transformers and safetensors hold it. It is one model, from every file
/// that it is read from or went through.
/// </summary>
[Trait("Category", "Golden")]
public sealed class FormatGoldenTests : IDisposable
{
    private const string Torch = "models/deit_test_distilled.pth",
        Safetensors = "models/deit_test_distilled.safetensors",
        HuggingFace = "models/hf_deit_test_distilled";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // The reference's logits are met to 1e-5, as in every golden model. The copies agree to 1e-6, and in fact to the
    // bit.
    [Fact]
    public void The_three_copies_answer_as_the_reference()
    {
        using GoldenFile io = new("models/deit_test_distilled.io.safetensors");
        string converted = _folder["converted"];
        Assert.Equal(0, ConvertCommand.Run(GoldenData.Path(Torch), converted, new ConvertOptions()));
        float[][] answers =
        [
            .. ((string[])[converted, GoldenData.Path(Safetensors), GoldenData.Path(HuggingFace)]).Select(path =>
                Logits(path, io)
            ),
        ];
        foreach (float[] answer in answers)
        {
            Close(io.Doubles("eval.logits"), answer, 1e-5);
            Close(Array.ConvertAll(answers[0], logit => (double)logit), answer, 1e-6);
        }
    }

    public static TheoryData<string, string> Routes =>
        new()
        {
            { Torch, "timm" },
            { Torch, "hf" },
            { Torch, "hf timm hf" },
            { Safetensors, "timm" },
            { Safetensors, "hf timm" },
            { HuggingFace, "timm" },
            { HuggingFace, "hf" },
            { HuggingFace, "timm hf timm" },
        };

    [Theory]
    [MemberData(nameof(Routes))]
    public void A_model_comes_back_with_the_same_bits(string start, string route)
    {
        string path = GoldenData.Path(start);
        using ConvertSource opened = ConvertSource.Open(path, new ConvertHints(null, null, null));
        ModelSource original = opened.Model;
        foreach ((int i, string format) in route.Split(' ').Index())
        {
            string target = _folder[$"{i}"];
            Assert.Equal(0, ConvertCommand.Run(path, target, new ConvertOptions { To = format }));
            path = target;
        }
        using ConvertSource reopened = ConvertSource.Open(path, new ConvertHints(null, null, null));
        ModelSource back = reopened.Model;
        Assert.Equal(original.Description.Labels, back.Description.Labels);
        Assert.Equal(original.Description.Config, back.Description.Config);
        // The files of transformers hold both sizes, but not the ratio that made one of the other.
        Assert.Equal(original.Description.Preprocess.ShorterSide, back.Description.Preprocess.ShorterSide);
        Assert.Equal(
            original.Description.Preprocess with
            {
                CropRatio = 1,
            },
            back.Description.Preprocess with
            {
                CropRatio = 1,
            }
        );
        Assert.Equal(original.Description.HeadFusion, back.Description.HeadFusion);
        AssertSame(original.Weights, back.Weights);
    }

    [Fact]
    public void What_transformers_wrote_is_written_again_tensor_by_tensor()
    {
        string source = GoldenData.Path(HuggingFace),
            target = _folder["hf"];
        Assert.Equal(0, ConvertCommand.Run(source, target, new ConvertOptions { To = "hf" }));
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(source, ModelFolder.WeightsFile)),
            actual = SafetensorsFile.Open(Path.Combine(target, ModelFolder.WeightsFile));
        AssertSame(expected, actual);
        Assert.Equal("pt", actual.Metadata["format"]); // the library transformers refuses a file without this entry
    }

    // binary16 has 11 binary digits. Rounded to nearest, a weight is off by at most half of its last digit, a subnormal
    // one by half of 2^-24.
    [Fact]
    public void Weights_of_16_bits_load_again_and_are_the_nearest()
    {
        using GoldenFile io = new("models/deit_test_distilled.io.safetensors");
        string source = GoldenData.Path(Safetensors),
            target = _folder["half"];
        Assert.Equal(0, ConvertCommand.Run(source, target, new ConvertOptions { To = "fp16" }));
        using SafetensorsFile expected = SafetensorsFile.Open(source),
            actual = SafetensorsFile.Open(Path.Combine(target, ModelFolder.WeightsFile));
        foreach (SafetensorsEntry entry in actual.Entries)
        {
            Assert.Equal(SafetensorsDType.F16, entry.DType);
            foreach ((float exact, float rounded) in expected.Read(entry.Name).Zip(actual.Read(entry.Name)))
                Assert.True(
                    Math.Abs(exact - rounded) <= Math.Max(Math.Abs(exact) / 2048, 1f / (1 << 25)),
                    $"{entry.Name}: {exact} became {rounded}"
                );
        }
        // The logits carry only the rounding of the weights: a few of its steps.
        Close(io.Doubles("eval.logits"), Logits(target, io), 4.0 / 2048);
    }

    // The mean of both heads, as the reference answers.
    private static float[] Logits(string path, GoldenFile io)
    {
        (INetwork network, ModelDescription description) = ModelSource.Load(TestDevice.Current, path);
        using (network)
        using (Inference inference = new(TestDevice.Current, network, io.Dims("images")[0]))
            return inference
                .Run(io.Floats("images"), io.Dims("images")[0])
                .Fuse(description.HeadFusion, description.Labels.Count);
    }

    private static void Close(double[] expected, float[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = OpHarness.RelativeError(expected, actual);
        Assert.True(error <= tolerance, $"relative error {error:e2}, at most {tolerance:e2}");
    }

    private static void AssertSame(IWeights expected, IWeights actual)
    {
        Assert.Equal(
            expected.Shapes.Keys.Order(StringComparer.Ordinal),
            actual.Shapes.Keys.Order(StringComparer.Ordinal)
        );
        foreach ((string name, long[] shape) in expected.Shapes)
        {
            Assert.Equal(shape, actual.Shapes[name]);
            Assert.True(
                MemoryMarshal
                    .AsBytes<float>(expected.Read(name))
                    .SequenceEqual(MemoryMarshal.AsBytes<float>(actual.Read(name))),
                name
            );
        }
    }
}
