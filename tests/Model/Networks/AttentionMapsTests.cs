using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Gpu;
using Deit.Tests.Model.Images;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Model.Networks;

public sealed class AttentionMapsTests
{
    private static DeitConfig Config => TinyRun.Config with { Distilled = true, InputSize = new ImageSize(32, 48) };

    // The shader's own sum of values is the witness: the probabilities times the values must give it. The tolerance is
    // for the rounding of sums of 26 products to 24 bits.
    [Fact]
    public void Probabilities_times_values_are_the_devices_attention()
    {
        using VisionTransformer model = Model(spread: 30);
        using Inference inference = new(
            TestDevice.Current,
            model,
            1,
            observe: (_, name, tensor) => name.Contains(".attn", StringComparison.Ordinal) ? tensor : null
        );
        float[] image = Image();
        inference.Run(image, 1);
        AttentionMaps maps = AttentionMaps.Of(TestDevice.Current, model, image);
        Assert.Equal((2, 2, 26), (maps.Layers, maps.Heads, maps.Tokens));
        double leastEven = 1;
        for (int layer = 0; layer < 2; layer++)
        {
            float[] qkv = inference.Observed($"blocks.{layer}.attn.qkv"),
                attention = inference.Observed($"blocks.{layer}.attn");
            for (int head = 0; head < 2; head++)
            for (int token = 0; token < 26; token++)
            {
                double[] row = maps.Row(layer, head, token);
                Assert.Equal(1, row.Sum(), 1e-12);
                leastEven = Math.Min(leastEven, row.Min());
                for (int d = 0; d < 16; d++)
                {
                    double sum = 0;
                    for (int t = 0; t < 26; t++)
                        sum += row[t] * qkv[(t * 96) + 64 + (head * 16) + d];
                    Assert.Equal(sum, attention[(token * 32) + (head * 16) + d], 1e-5);
                }
            }
        }
        Assert.True(leastEven < 0.01, "attention is so even that a wrong query or key would not show");
    }

    [Fact]
    public void Rollout_follows_its_definition_and_keeps_the_sum()
    {
        using VisionTransformer model = Model(spread: 30);
        AttentionMaps maps = AttentionMaps.Of(TestDevice.Current, model, Image());
        double[,] product = new double[26, 26];
        for (int i = 0; i < 26; i++)
            product[i, i] = 1;
        for (int layer = 0; layer < 2; layer++) // the whole matrices, from the first layer up
        {
            double[,] next = new double[26, 26];
            for (int i = 0; i < 26; i++)
            {
                double[] first = maps.Row(layer, 0, i),
                    second = maps.Row(layer, 1, i);
                for (int k = 0; k < 26; k++)
                for (int j = 0; j < 26; j++)
                    next[i, j] += ((0.25 * (first[k] + second[k])) + (i == k ? 0.5 : 0)) * product[k, j];
            }
            product = next;
        }
        for (int token = 0; token < 2; token++)
        {
            double[] row = maps.Rollout(token);
            Assert.Equal(1, row.Sum(), 1e-12);
            for (int j = 0; j < 26; j++)
                Assert.Equal(product[token, j], row[j], 1e-12);
        }
    }

    // One head of one dimension: q = 2, 0; k = 0, ln 3. Token 0 looks with 1 : 9, token 1 evenly.
    [Fact]
    public void One_layer_by_hand()
    {
        AttentionMaps maps = new(
            [
                [2, 0, 7, 0, MathF.Log(3), 8],
            ],
            heads: 1,
            tokens: 2
        );
        Assert.Equal([0.1, 0.9], maps.Row(0, 0, 0), Near);
        Assert.Equal([0.5, 0.5], maps.Row(0, 0, 1), Near);
        Assert.Equal([0.1, 0.9], maps.Mean(0, 0), Near);
        Assert.Equal([0.55, 0.45], maps.Rollout(0), Near);
        Assert.Equal([0.25, 0.75], maps.Rollout(1), Near);
    }

    // Even attention is the projection on the mean: after L layers 1 / 2^L of a token is still its own, and the rest is even.
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Rollout_of_even_attention(int layers)
    {
        AttentionMaps maps = new([.. Enumerable.Repeat(new float[5 * 6], layers)], heads: 2, tokens: 5);
        double own = Math.Pow(0.5, layers);
        double[] row = maps.Rollout(1);
        for (int t = 0; t < 5; t++)
            Assert.Equal(((1 - own) / 5) + (t == 1 ? own : 0), row[t], 1e-15);
    }

    [Fact]
    public void Rows_are_normalised_on_the_way() =>
        Assert.Equal(
            [0.75, 0.25],
            AttentionMaps.Through(
                [1, 0],
                [
                    [2, 2],
                    [0, 5],
                ]
            ),
            Near
        );

    [Fact]
    public void Far_apart_products_do_not_overflow() =>
        Assert.Equal(
            [0.0, 1.0],
            new AttentionMaps(
                [
                    [1e4f, -1e4f, 0, 1e4f, 1e4f, 0],
                ],
                1,
                2
            ).Row(0, 0, 0),
            Near
        );

    [Fact]
    public void Lengths_and_numbers_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new AttentionMaps([], 1, 2));
        Assert.Throws<ArgumentException>(() => new AttentionMaps([new float[7]], 1, 2));
        Assert.Throws<ArgumentException>(() => new AttentionMaps([new float[6], new float[12]], 1, 2));
        AttentionMaps maps = new([new float[6]], 1, 2);
        Assert.Throws<ArgumentOutOfRangeException>(() => maps.Row(0, 1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => maps.Row(0, 0, 2));
    }

    [Fact]
    public void Observing_changes_nothing_and_names_what_there_is()
    {
        using VisionTransformer model = Model(spread: 1);
        List<string> names = [];
        using Inference plain = new(TestDevice.Current, model, 1),
            observing =
                new(
                    TestDevice.Current,
                    model,
                    1,
                    observe: (_, name, tensor) =>
                    {
                        names.Add(name);
                        return name == "norm" ? tensor : null;
                    }
                );
        Assert.Equal(
            [
                "embedding",
                "blocks.0.attn.qkv",
                "blocks.0.attn",
                "blocks.0",
                "blocks.1.attn.qkv",
                "blocks.1.attn",
                "blocks.1",
                "norm",
            ],
            names
        );
        Assert.Equal(plain.Run(Image(), 1).Class, observing.Run(Image(), 1).Class);
        Assert.Equal(64, observing.Observed("norm").Length);
        Assert.Contains("'blocks.0'", Assert.Throws<ArgumentException>(() => observing.Observed("blocks.0")).Message);
    }

    private static bool Near(double expected, double actual) => Math.Abs(expected - actual) < 1e-7; // a logarithm rounded to 24 bits

    // Weights as drawn make attention nearly even; larger ones make it choose.
    private static VisionTransformer Model(float spread)
    {
        VisionTransformer model = new(TestDevice.Current, Config);
        model.Parameters.Initialize(5);
        for (int layer = 0; layer < 2; layer++)
        {
            Tensor weight = model.Parameters[$"blocks.{layer}.attn.qkv.weight"];
            TestDevice.Current.Write<float>(
                weight,
                [.. TestDevice.Current.Read<float>(weight).Select(value => value * spread)]
            );
        }
        return model;
    }

    private static float[] Image()
    {
        Preprocess preprocess = new() { InputSize = Config.InputSize };
        float[] image = new float[preprocess.OutputLength];
        preprocess.Apply(TestImages.Noise(60, 50, 3), image);
        return image;
    }
}
