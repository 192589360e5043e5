using System.Text.Json;
using Deit.Cli.Commands;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Gpu;
using Deit.Tests.Train.Training;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Deit.Tests.Golden;

/// <summary>ONNX Runtime on the files that deit convert writes: its logits are the reference's and ours.</summary>
[Trait("Category", "Golden")]
public sealed class OnnxGoldenTests : IDisposable
{
    // The tolerance is for two implementations in fp32 that add up in different orders.
    private const double Tolerance = 1e-4;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("models/deit_test.safetensors", "models/deit_test.io.safetensors")]
    [InlineData("models/deit_test_distilled.pth", "models/deit_test_distilled.io.safetensors")]
    [InlineData("models/hf_deit_test_distilled", "models/deit_test_distilled.io.safetensors")]
    public void Small_models_answer_as_the_reference_in_batches_of_any_size(string model, string data)
    {
        using GoldenFile io = new(data);
        string path = Export(GoldenData.Path(model));
        int[] dims = io.Dims("images");
        float[] images = io.Floats("images");
        Dictionary<string, float[]> all = Run(path, images, dims);
        AssertClose(io.Doubles("eval.logits"), all["logits"], "logits");
        if (io.Has("train.dist"))
        {
            // Without drop-path a forward pass in training is that of evaluation, head by head.
            AssertClose(io.Doubles("train.cls"), all["cls_logits"], "class token");
            AssertClose(io.Doubles("train.dist"), all["distillation_logits"], "distillation token");
        }
        float[] first = Run(path, images[..(images.Length / dims[0])], [1, .. dims[1..]])["logits"];
        AssertClose(Array.ConvertAll(all["logits"][..first.Length], logit => (double)logit), first, "a batch of one");
    }

    [Theory]
    [InlineData(HeadFusion.MeanLogits)]
    [InlineData(HeadFusion.SumSoftmax)]
    [InlineData(HeadFusion.ClassToken)]
    public void Heads_are_fused_as_the_description_says(HeadFusion fusion)
    {
        using GoldenFile io = new("models/deit_test_distilled.io.safetensors");
        string folder = _folder["model"];
        Assert.Equal(
            0,
            ConvertCommand.Run(GoldenData.Path("models/hf_deit_test_distilled"), folder, new ConvertOptions())
        );
        ModelDescription description = ModelSource.Describe(folder) with { HeadFusion = fusion };
        description.Write(folder);
        float[] expected = new HeadLogits(io.Floats("train.cls"), io.Floats("train.dist")).Fuse(
            fusion,
            description.Labels.Count
        );
        AssertClose(
            Array.ConvertAll(expected, logit => (double)logit),
            Run(Export(folder), io.Floats("images"), io.Dims("images"))["logits"],
            $"{fusion}"
        );
    }

    [Fact]
    public void Labels_and_preprocessing_travel_along()
    {
        string source = GoldenData.Path("models/hf_deit_test_distilled");
        ModelDescription description = ModelSource.Describe(source);
        using InferenceSession session = new(Export(source));
        Dictionary<string, string> metadata = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal(description.Labels, JsonSerializer.Deserialize<string[]>(metadata["labels"]));
        Assert.Equal(description.Preprocess, Preprocess.FromJson(metadata["preprocess"]));
        Assert.Equal(
            description.Config,
            JsonSerializer.Deserialize<NetworkConfig>(metadata["config"], ModelJson.Options)
        );
        Assert.Equal("deit", session.ModelMetadata.ProducerName);
        Assert.Equal(
            [-1, 3, description.Config.InputSize.Height, description.Config.InputSize.Width],
            Assert.Single(session.InputMetadata).Value.Dimensions
        );
        Assert.Equal(["logits", "cls_logits", "distillation_logits"], session.OutputMetadata.Keys);
        Assert.All(
            session.OutputMetadata.Values,
            output => Assert.Equal([-1, description.Labels.Count], output.Dimensions)
        );
    }

    [Fact]
    public void A_small_RegNetY_answers_as_ours()
    {
        TinyRun.WriteModel(_folder["teacher"], TinyRun.Teacher);
        RegNetConfig config = TinyRun.Teacher;
        // Zero in a block's last norm, where training starts, would hide most of the block.
        using INetwork network = config.Create(TestDevice.Current);
        GeneratedWeights.Fill(network.Parameters, 3);
        ModelFolder.SaveWeights(network.Parameters, Path.Combine(_folder["teacher"], ModelFolder.WeightsFile));
        int size = config.InputSize.Height;
        float[] images = [.. GeneratedWeights.Image(1, size), .. GeneratedWeights.Image(2, size)];
        using Inference inference = new(TestDevice.Current, network, 2);
        double[] expected = Array.ConvertAll(inference.Run(images, 2).Class, logit => (double)logit);
        AssertClose(expected, Run(Export(_folder["teacher"]), images, [2, 3, size, size])["logits"], "logits");
    }

    // Of every width of DeiT, with the distillation token and without, and a RegNetY.
    [Theory]
    [InlineData("deit_tiny_patch16_224")]
    [InlineData("deit_tiny_distilled_patch16_224")]
    [InlineData("deit_small_patch16_224")]
    [InlineData("regnety_040")]
    public void Full_size_models_answer_as_the_reference_and_as_ours(string name)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(GoldenData.Path("full/models.json")));
        JsonElement entry = json.RootElement.GetProperty(name);
        using GoldenFile golden = new("full/logits.safetensors");
        NetworkConfig config = NetworkFamilies.Find(name);
        int size = entry.GetProperty("image_size").GetInt32();
        float[] image = GeneratedWeights.Image(entry.GetProperty("image_key").GetUInt64(), size);
        float[] ours;
        using (INetwork network = config.Create(TestDevice.Current))
        {
            GeneratedWeights.Fill(network.Parameters, entry.GetProperty("weight_key").GetUInt64());
            ModelFolder.SaveWeights(network.Parameters, _folder["weights.safetensors"]);
            using Inference inference = new(TestDevice.Current, network, 1);
            ours = inference.Run(image, 1).Fuse(HeadFusion.MeanLogits, config.NumClasses);
        }
        string path = _folder["model.onnx"];
        Assert.Equal(0, ConvertCommand.Run(_folder["weights.safetensors"], path, new ConvertOptions { Model = name }));
        float[] logits = Run(path, image, [1, 3, size, size])["logits"];
        AssertClose(golden.Doubles(name), logits, "the reference's logits");
        AssertClose(Array.ConvertAll(ours, logit => (double)logit), logits, "our logits");
    }

    private string Export(string source)
    {
        string path = _folder[$"{Guid.NewGuid():N}.onnx"];
        Assert.Equal(0, ConvertCommand.Run(source, path, new ConvertOptions()));
        return path;
    }

    private static Dictionary<string, float[]> Run(string path, float[] images, int[] dims)
    {
        using InferenceSession session = new(path);
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> outputs = session.Run([
            NamedOnnxValue.CreateFromTensor("pixel_values", new DenseTensor<float>(images, dims)),
        ]);
        return outputs.ToDictionary(output => output.Name, output => output.AsEnumerable<float>().ToArray());
    }

    private static void AssertClose(double[] expected, float[] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = OpHarness.RelativeError(expected, actual);
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: relative error {error:e2}");
        Assert.True(error <= Tolerance, $"{what}: relative error {error:e2}, at most {Tolerance:e2}");
    }
}
