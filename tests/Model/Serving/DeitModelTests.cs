using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json.Nodes;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;
using Deit.Model.Networks;
using Deit.Tests.Model.Images;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Model.Serving;

public sealed class DeitModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Folder => _folder["model"];

    private string Weights => Path.Combine(Folder, ModelFolder.WeightsFile);

    private string Config => Path.Combine(Folder, ModelFolder.ConfigFile);

    public DeitModelTests() => TinyRun.WriteModel(Folder, TinyRun.Config);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_classification_is_a_sorted_distribution_over_all_classes()
    {
        using DeitModel model = DeitModel.Load(Folder, Gpu.TestDevice.Any);
        RgbImage image = TestImages.Smooth(61, 43);
        ImageEncoder.SavePng(image, _folder["a.png"]);
        Classification result = model.Classify(image);
        Assert.Equal(result.Scores, model.Classify(_folder["a.png"]).Scores);
        Assert.Equal(1, result.Scores.Sum(score => (double)score.Probability), 1e-6); // eight roundings to 24 bits
        Assert.Equal(result.Scores.OrderByDescending(score => score.Probability), result.Scores);
        Assert.Equal(Enumerable.Range(0, 8), result.Scores.Select(score => score.Index).Order());
        Assert.All(result.Scores, score => Assert.Equal($"class {score.Index}", score.Label));
        Assert.Equal(result.Scores[0], result.Top);
        // Another picture is answered otherwise: the input does reach the model.
        Assert.NotEqual(result.Scores, model.Classify(TestImages.Noise(61, 43, 3)).Scores);
    }

    [Fact]
    public async Task Calls_from_several_threads_take_turns()
    {
        using DeitModel model = DeitModel.Load(Folder, Gpu.TestDevice.Any);
        RgbImage[] images = [.. Enumerable.Range(0, 6).Select(seed => TestImages.Noise(40 + seed, 50, seed))];
        Classification[] alone = [.. images.Select(model.Classify)];
        Classification[] together = await Task.WhenAll(images.Select(image => Task.Run(() => model.Classify(image))));
        for (int i = 0; i < images.Length; i++)
            Assert.Equal(alone[i].Scores, together[i].Scores);
    }

    [Fact]
    public void A_picture_that_cannot_be_read_leaves_the_model_usable()
    {
        using DeitModel model = DeitModel.Load(Folder, Gpu.TestDevice.Any);
        Assert.Throws<ImageException>(() => model.Classify(_folder["missing.png"]));
        Assert.Equal(8, model.Classify(TestImages.Smooth(32, 32)).Scores.Count);
    }

    [Fact]
    public void A_missing_folder_or_file_is_said()
    {
        Refused("does not exist", _folder["nothing"]);
        Refused("no model folder", _folder.Path);
        File.Delete(Weights);
        Refused(ModelFolder.WeightsFile);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(100)]
    [InlineData(-1)]
    [InlineData(-100_000)]
    public void Truncated_weights_are_refused(int length)
    {
        byte[] whole = File.ReadAllBytes(Weights);
        File.WriteAllBytes(Weights, whole[..(length < 0 ? whole.Length + length : length)]);
        Refused(ModelFolder.WeightsFile);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(long.MaxValue)]
    [InlineData(1ul << 40)]
    [InlineData(0)]
    public void Weights_that_claim_a_header_they_do_not_have_are_refused(ulong length)
    {
        byte[] bytes = File.ReadAllBytes(Weights);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        File.WriteAllBytes(Weights, bytes);
        Refused(ModelFolder.WeightsFile);
    }

    [Theory]
    [InlineData("config.depth", 3, "lacks 'blocks.2.")]
    [InlineData("config.depth", 1, "has 'blocks.1.")]
    [InlineData("config.embed_dim", 64, "of shape")]
    [InlineData("config.patch_size", 16, "of shape")]
    [InlineData("config.embed_dim", 0, "embed_dim")]
    [InlineData("config.embed_dim", -32, "embed_dim")]
    [InlineData("config.num_heads", 5, "num_heads")]
    [InlineData("config.num_heads", 0, "num_heads")]
    [InlineData("config.depth", 2_000_000_000, "depth")]
    [InlineData("config.num_classes", 9, "8 labels for 9 classes")]
    [InlineData("config.input_size", 64, "prepares pictures of 32")]
    [InlineData("config.distilled", true, "'pos_embed' of shape")] // a place for one token more
    [InlineData("preprocess.crop_ratio", 0, "crop")]
    [InlineData("preprocess.crop_ratio", -1, "crop")]
    [InlineData("preprocess.input_size", 0, "input")]
    [InlineData("preprocess.interpolation", "magic", "cannot be read")]
    [InlineData("preprocess.mean", 1, "cannot be read")]
    [InlineData("config.embed_dim", "wide", "cannot be read")]
    [InlineData("config.unheard_of", 1, "cannot be read")]
    [InlineData("config", null, "cannot be read")]
    [InlineData("labels", "cat", "cannot be read")]
    [InlineData("labels.0", null, "labels")]
    [InlineData("labels", null, "cannot be read")]
    [InlineData("preprocess", null, "cannot be read")]
    [InlineData("config.architecture", "regnet", "'regnet'")]
    public void A_foreign_or_damaged_configuration_is_refused(string property, object? value, string expected)
    {
        JsonNode config = JsonNode.Parse(File.ReadAllText(Config))!;
        string[] path = property.Split('.');
        JsonNode? replacement = value switch
        {
            null => null,
            int number => number,
            bool flag => flag,
            _ => (string)value,
        };
        JsonNode parent = path.Length == 2 ? config[path[0]]! : config;
        if (parent is JsonArray array)
            array[int.Parse(path[1], CultureInfo.InvariantCulture)] = replacement;
        else
            parent[path[^1]] = replacement;
        File.WriteAllText(Config, config.ToJsonString());
        Refused(expected);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"config\":")]
    public void A_configuration_that_is_none_is_refused(string json)
    {
        File.WriteAllText(Config, json);
        Refused("cannot be read");
    }

    [Fact]
    public void Weights_that_are_not_finite_are_not_written_over_others()
    {
        GpuDevice device = Gpu.TestDevice.Current;
        using VisionTransformer model = new(device, TinyRun.Config);
        byte[] before = File.ReadAllBytes(Weights);
        foreach (float bad in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            float[] bias = new float[32];
            bias[31] = bad;
            device.Write<float>(model.Parameters["norm.bias"], bias);
            Assert.Contains(
                "not finite",
                Assert.Throws<CheckpointException>(() => ModelFolder.SaveWeights(model.Parameters, Weights)).Message
            );
            Assert.Equal(before, File.ReadAllBytes(Weights));
        }
    }

    // The promise for DeiT-B, from an empty device to the first answer. Its values do not matter, so they stay 0.
    [Fact]
    public void Inference_of_DeiT_B_takes_little_more_than_its_weights()
    {
        using GpuDevice device = GpuDevice.Open();
        Assert.Equal(0, device.AllocatedBytes);
        using VisionTransformer model = new(device, DeitFamily.Get("deit_base_patch16_224"));
        using Inference inference = new(device, model, batchSize: 1);
        Assert.Equal(1000, inference.Run(new float[3 * 224 * 224], 1).Class.Length);
        long weights = model.Parameters.Count * sizeof(float),
            allowed = (long)(1.1 * weights) + (32 << 20);
        Assert.Equal(86_567_656L, model.Parameters.Count); // as published: 86 M
        TestContext.Current.TestOutputHelper?.WriteLine(
            FormattableString.Invariant(
                $"peak {device.PeakAllocatedBytes >> 20} MiB for weights of {weights >> 20} MiB, {allowed >> 20} MiB allowed"
            )
        );
        Assert.InRange(device.PeakAllocatedBytes, weights, allowed);
    }

    private void Refused(string expected, string? folder = null)
    {
        DeitException error = Assert.ThrowsAny<DeitException>(() =>
            DeitModel.Load(folder ?? Folder, Gpu.TestDevice.Any).Dispose()
        );
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.EndsWith(".", error.Message);
    }
}
