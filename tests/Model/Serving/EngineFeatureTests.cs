using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Golden;
using Deit.Tests.Gpu;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Model.Serving;

public sealed class EngineFeatureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // The oracle: the heads' product and softmax in double precision on the embedding give the probabilities that the device computed.
    [Theory]
    [InlineData(EngineModels.Plain)]
    [InlineData(EngineModels.Distilled)]
    public void The_heads_of_an_embedding_are_the_classification(string name)
    {
        using DeitModel model = DeitModel.Load(EngineModels.Write(_folder, name), TestDevice.Any);
        using GoldenFile weights = new($"models/{name}.safetensors");
        foreach (RgbImage image in EngineModels.Pictures(3))
        {
            Embedding embedding = model.Embed(image);
            double[] logits = Head("head", embedding.Class);
            Assert.Equal(name == EngineModels.Distilled, embedding.Distillation is not null);
            if (embedding.Distillation is { } distillation)
                logits = [.. logits.Zip(Head("head_dist", distillation), (a, b) => (a + b) / 2)];
            double largest = logits.Max(),
                sum = logits.Sum(logit => Math.Exp(logit - largest));
            foreach (ClassScore score in model.Classify(image).Scores)
                // sums of a few dozen products in fp32
                Assert.Equal(Math.Exp(logits[score.Index] - largest) / sum, score.Probability, 1e-5);
        }

        double[] Head(string head, float[] features)
        {
            double[] weight = weights.Doubles($"{head}.weight"),
                bias = weights.Doubles($"{head}.bias");
            Assert.Equal(weight.Length, features.Length * bias.Length);
            return
            [
                .. bias.Select((b, c) => b + features.Select((f, i) => f * weight[(c * features.Length) + i]).Sum()),
            ];
        }
    }

    [Theory]
    [InlineData(EngineModels.Plain)]
    [InlineData(EngineModels.Distilled)]
    public void Attention_lies_on_the_grid_of_patches(string name)
    {
        string path = EngineModels.Write(_folder, name);
        RgbImage image = EngineModels.Pictures(1)[0];
        using DeitModel model = DeitModel.Load(path, TestDevice.Any);
        ImageAttention attention = model.ComputeAttention(image);

        (INetwork network, ModelDescription description) = ModelSource.Load(TestDevice.Current, path);
        using INetwork _ = network;
        DeitConfig config = (DeitConfig)description.Config;
        float[] input = new float[description.Preprocess.OutputLength];
        description.Preprocess.Apply(image, input);
        AttentionMaps maps = AttentionMaps.Of(TestDevice.Current, (VisionTransformer)network, input);

        Assert.Equal(
            (config.Depth, config.NumHeads, config.Distilled),
            (attention.Layers, attention.Heads, attention.HasDistillationToken)
        );
        AssertMap(maps.Rollout(0), attention.Rollout);
        int layer = config.Depth - 1,
            head = config.NumHeads - 1;
        AssertMap(maps.Row(layer, head, 0), attention.GetHead(layer, head));
        AssertMap(maps.Mean(0, 0), attention.GetMean(0));
        if (config.Distilled)
        {
            AssertMap(maps.Rollout(1), attention.ComputeDistillationRollout());
            AssertMap(maps.Row(0, head, 1), attention.GetHead(0, head, distillation: true));
            AssertMap(maps.Mean(layer, 1), attention.GetMean(layer, distillation: true));
        }
        else
        {
            Assert.Throws<InvalidOperationException>(attention.ComputeDistillationRollout);
            Assert.Throws<InvalidOperationException>(() => attention.GetMean(0, distillation: true));
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => attention.GetHead(config.Depth, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => attention.GetHead(0, config.NumHeads));
        Assert.Throws<ArgumentOutOfRangeException>(() => attention.GetMean(-1));

        void AssertMap(double[] row, AttentionMap map)
        {
            Assert.Equal((config.Grid.Width, config.Grid.Height), (map.Width, map.Height));
            // Two openings of a device may run kernels that sum in another order, where no cache can be written.
            Assert.Equal(
                row[config.PrefixTokens..],
                Array.ConvertAll(map.Values, share => (double)share),
                (a, b) => Math.Abs(a - b) < 1e-6
            );
            Assert.InRange(map.Values.Sum(share => (double)share), 1e-3, 1 + 1e-6);
        }
    }

    [Fact]
    public void A_network_without_tokens_says_so()
    {
        string path = _folder["regnet"];
        TinyRun.WriteModel(path, TinyRun.Teacher);
        using DeitModel model = DeitModel.Load(path, TestDevice.Any);
        RgbImage image = EngineModels.Pictures(1)[0];
        Assert.Equal(8, model.Classify(image).Scores.Count);
        Assert.Contains("RegNetY", Assert.Throws<DeitException>(() => model.Embed(image)).Message);
        Assert.Contains("RegNetY", Assert.Throws<DeitException>(() => model.ComputeAttention(image)).Message);
    }

    [Fact]
    public void Half_precision_is_served_or_said()
    {
        using RecordedLog log = new();
        string path = EngineModels.Write(_folder, EngineModels.Plain);
        using DeitModel full = DeitModel.Load(path, TestDevice.Any),
            half = DeitModel.Load(path, TestDevice.Any with { Precision = DType.F16, LoggerFactory = log });
        RgbImage image = EngineModels.Pictures(1)[0];
        Assert.Equal(half.Device.Storage16 ? DType.F16 : DType.F32, half.Precision.Activations);
        // The bound of the golden logits in 16 bits, of probabilities below 1.
        foreach (ClassScore score in full.Classify(image).Scores)
            Assert.Equal(
                score.Probability,
                half.Classify(image).Scores.Single(other => other.Index == score.Index).Probability,
                4.0 / 2048
            );
    }
}
