using Deit.Model;
using Deit.Tests.Gpu;
using Deit.Tests.Train.Training;
using Deit.Train.Optimizers;
using Deit.Train.Options;

namespace Deit.Tests.Train.Optimizers;

/// <summary>
/// Learning rates by layer. The numbers follow from timm's <c>param_groups_layer_decay</c> and <c>group_matcher</c> by hand.
/// </summary>
public sealed class LayerDecayTests
{
    private const double Tolerance = 1e-6; // twenty roundings of F32

    // Fourteen layers: the stem, twelve blocks with the last norm in the last, and the heads. 0.75^13 = 0.0237573, 0.75^12 = 0.0316764.
    [Theory]
    [InlineData("cls_token", 0.0237573)]
    [InlineData("dist_token", 0.0237573)]
    [InlineData("pos_embed", 0.0237573)]
    [InlineData("patch_embed.proj.weight", 0.0237573)]
    [InlineData("patch_embed.proj.bias", 0.0237573)]
    [InlineData("blocks.0.norm1.weight", 0.0316764)]
    [InlineData("blocks.9.mlp.fc2.bias", 0.421875)] // 0.75^3
    [InlineData("blocks.11.attn.qkv.weight", 0.75)]
    [InlineData("norm.bias", 0.75)]
    [InlineData("head.weight", 1)]
    [InlineData("head_dist.bias", 1)]
    public void A_deit_has_the_rates_of_timm(string name, double expected) =>
        Assert.Equal(expected, RateOf(NetworkFamilies.Find("deit_tiny_distilled_patch16_224")!, name, 0.75), 5e-8);

    // LayerScale belongs to its block. 0.5^13 = 1 / 8192.
    [Theory]
    [InlineData("pos_embed", 1.0 / 8192)]
    [InlineData("blocks.0.ls1.gamma", 1.0 / 4096)]
    [InlineData("blocks.10.ls2.gamma", 0.25)]
    public void A_deit_iii_too(string name, double expected) =>
        Assert.Equal(expected, RateOf(NetworkFamilies.Find("deit3_small_patch16_224")!, name, 0.5));

    // Stages of 2, 6, 12 and 2 blocks: 22 blocks and 24 layers, the stem the first and the head the last.
    [Theory]
    [InlineData("stem.conv.weight", 23)]
    [InlineData("stem.bn.bias", 23)]
    [InlineData("s1.b1.conv1.conv.weight", 22)]
    [InlineData("s1.b2.se.fc1.bias", 21)]
    [InlineData("s2.b1.downsample.bn.weight", 20)]
    [InlineData("s3.b1.conv2.conv.weight", 14)]
    [InlineData("s3.b12.conv3.bn.weight", 3)]
    [InlineData("s4.b1.conv1.bn.weight", 2)]
    [InlineData("s4.b2.se.fc2.weight", 1)]
    [InlineData("head.fc.bias", 0)]
    public void A_regnet_counts_its_blocks_through_all_stages(string name, int layersToTheHead) =>
        Assert.Equal((float)Math.Pow(0.9, layersToTheHead), RateOf(NetworkFamilies.Find("regnety_040")!, name, 0.9));

    [Fact]
    public void Without_decay_no_rates_are_kept()
    {
        using INetwork network = TinyRun.Config.Create(TestDevice.Current);
        Assert.Null(LayerDecay.Rates(network.Config, network.Parameters, 1));
    }

    [Fact]
    public void AdamW_has_them()
    {
        OptimizerOptions options = new() { Kind = OptimizerKind.AdamW, LayerDecay = 0.7 };
        AssertFormula(
            options,
            (o, i) =>
            {
                double g = o.Gradients[i];
                o.First[i] = (options.Beta1 * o.First[i]) + ((1 - options.Beta1) * g);
                o.Second[i] = (options.Beta2 * o.Second[i]) + ((1 - options.Beta2) * g * g);
                double m = o.First[i] / (1 - Math.Pow(options.Beta1, o.Step)),
                    v = o.Second[i] / (1 - Math.Pow(options.Beta2, o.Step));
                // The decay has the rate of the layer, too.
                o.Weights[i] -= o.Rates[i] * options.WeightDecay * o.Decays[i] * o.Weights[i];
                o.Weights[i] -= o.Rates[i] * m / (Math.Sqrt(v) + options.Epsilon);
            }
        );
    }

    [Fact]
    public void Lion_has_them()
    {
        OptimizerOptions options = new() { Kind = OptimizerKind.Lion, LayerDecay = 0.7 };
        AssertFormula(
            options,
            (o, i) =>
            {
                double g = o.Gradients[i];
                int direction = Math.Sign((options.Beta1 * o.First[i]) + ((1 - options.Beta1) * g));
                o.Weights[i] -= o.Rates[i] * (direction + (options.WeightDecay * o.Decays[i] * o.Weights[i]));
                o.First[i] = (options.Beta2 * o.First[i]) + ((1 - options.Beta2) * g);
            }
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Sgd_has_them(bool nesterov)
    {
        OptimizerOptions options = new()
        {
            Kind = nesterov ? OptimizerKind.Sgd : OptimizerKind.Momentum,
            LayerDecay = 0.7,
        };
        AssertFormula(
            options,
            (o, i) =>
            {
                double g = o.Gradients[i] + (options.WeightDecay * o.Decays[i] * o.Weights[i]);
                o.First[i] = (options.Momentum * o.First[i]) + g;
                o.Weights[i] -= o.Rates[i] * (nesterov ? g + (options.Momentum * o.First[i]) : o.First[i]);
            }
        );
    }

    private static void AssertFormula(OptimizerOptions options, Action<OptimizerOracle, int> update)
    {
        double error = OptimizerRun.Error(
            options,
            oracle =>
            {
                for (int i = 0; i < oracle.Weights.Length; i++)
                    update(oracle, i);
            },
            TwoBlocks
        );
        Assert.InRange(error, 0, Tolerance);
    }

    /// <summary>The rates of a DeiT of two blocks at a decay of 0.7: 0.343, 0.49, 0.7 and 1.</summary>
    internal static double TwoBlocks(string name) =>
        name.StartsWith("head", StringComparison.Ordinal) ? 1
        : name.StartsWith("norm", StringComparison.Ordinal) || name.StartsWith("blocks.1", StringComparison.Ordinal)
            ? 0.7
        : name.StartsWith("blocks.0", StringComparison.Ordinal) ? 0.49
        : 0.343;

    // Without memory for the weights: the published models are large.
    private static float RateOf(NetworkConfig config, string name, double decay)
    {
        string[] names = [.. config.Specs().Where(spec => !spec.Buffer).Select(spec => spec.Name)];
        int at = Array.IndexOf(names, name);
        Assert.True(at >= 0, name);
        return LayerDecay.Rate(config, config.Layers()[at], decay);
    }
}
