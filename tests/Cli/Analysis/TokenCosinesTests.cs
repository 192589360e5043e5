using Deit.Cli.Analysis;
using Deit.Gpu;
using Deit.Model;
using Deit.Tests.Gpu;
using Deit.Tests.Train.Data.Loading;
using Deit.Tests.Train.Training;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Loading;

namespace Deit.Tests.Cli.Analysis;

public class TokenCosinesTests
{
    private static DeitConfig Config => TinyRun.Config with { Distilled = true };

    [Fact]
    public void Cosines()
    {
        Assert.Equal(1, TokenCosines.Cosine([1, 2, 3], [2, 4, 6]), 1e-15);
        Assert.Equal(0, TokenCosines.Cosine([1, 0], [0, -3]));
        Assert.Equal(-1, TokenCosines.Cosine([1, 0], [-3, 0]));
        Assert.Equal(Math.Sqrt(0.5), TokenCosines.Cosine([1, 1], [1, 0]), 1e-15);
        Assert.True(double.IsNaN(TokenCosines.Cosine([0, 0], [1, 0])));
    }

    // The oracle takes the whole hidden states of one picture at a time. The measurement takes batches of three, of which the last is
    // partial, and keeps the first tokens only.
    [Fact]
    public void Means_over_images_are_those_of_the_hidden_states()
    {
        using VisionTransformer model = Model(Config, 5),
            other = Model(TinyRun.Config, 6);
        (IReadOnlyList<PlaceCosines> places, int images) = TokenCosines.Measure(
            TestDevice.Current,
            model,
            other,
            3,
            Batches(3)
        );
        Assert.Equal(7, images);
        Assert.Equal(["tokens", "embedding", "block 1", "block 2", "norm"], places.Select(place => place.Place));

        string[] names = ["embedding", "blocks.0", "blocks.1", "norm"];
        double[] distillation = new double[4],
            otherClass = new double[4];
        using Inference own = Whole(model),
            foreign = Whole(other);
        foreach (Batch batch in Batches(1))
            using (batch)
            {
                own.Run(batch.Images, 1);
                foreign.Run(batch.Images, 1);
                for (int i = 0; i < 4; i++)
                {
                    float[] states = own.Observed(names[i]);
                    distillation[i] += Naive(states[..32], states[32..64]) / 7;
                    otherClass[i] += Naive(states[..32], foreign.Observed(names[i])[..32]) / 7;
                }
            }
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(distillation[i], places[i + 1].ClassDistillation!.Value, 1e-5); // other kernels may serve other batches
            Assert.Equal(otherClass[i], places[i + 1].ClassOther!.Value, 1e-5);
        }
        // With its position added, a token is the same for every image.
        float[] position = Read(model, "pos_embed");
        Assert.Equal(
            Naive(Sum(Read(model, "cls_token"), position[..32]), Sum(Read(model, "dist_token"), position[32..64])),
            places[1].ClassDistillation!.Value,
            1e-5
        );
        Assert.Equal(
            Naive(Read(model, "cls_token"), Read(model, "dist_token")),
            places[0].ClassDistillation!.Value,
            1e-12
        );
        Assert.Equal(Naive(Read(model, "cls_token"), Read(other, "cls_token")), places[0].ClassOther!.Value, 1e-12);

        static Inference Whole(VisionTransformer network) =>
            new(
                TestDevice.Current,
                network,
                1,
                observe: (_, name, tensor) => name.Contains("attn", StringComparison.Ordinal) ? null : tensor
            );
    }

    // Attention does not care for order: tokens that start alike stay alike, through every layer.
    [Fact]
    public void Tokens_that_start_alike_stay_alike()
    {
        using VisionTransformer model = Model(Config, 5);
        TestDevice.Current.Write<float>(model.Parameters["dist_token"], Read(model, "cls_token"));
        float[] position = Read(model, "pos_embed");
        position.AsSpan(0, 32).CopyTo(position.AsSpan(32));
        TestDevice.Current.Write<float>(model.Parameters["pos_embed"], position);
        (IReadOnlyList<PlaceCosines> places, _) = TokenCosines.Measure(TestDevice.Current, model, model, 4, Batches(4));
        Assert.All(
            places,
            place =>
            {
                Assert.Equal(1, place.ClassDistillation!.Value, 1e-6);
                Assert.Equal(1, place.ClassOther!.Value, 1e-6);
            }
        );
    }

    [Fact]
    public void Without_a_distillation_token_or_another_model_there_is_no_such_column()
    {
        using VisionTransformer plain = Model(TinyRun.Config, 5),
            distilled = Model(Config, 5);
        Assert.All(
            TokenCosines.Measure(TestDevice.Current, plain, plain, 4, Batches(4)).Places,
            place => Assert.Null(place.ClassDistillation)
        );
        Assert.All(
            TokenCosines.Measure(TestDevice.Current, distilled, null, 4, Batches(4)).Places,
            place => Assert.Null(place.ClassOther)
        );
    }

    private static IEnumerable<Batch> Batches(int batchSize)
    {
        GeneratedDataset pictures = new(8, unreadable: [2]);
        return new BatchLoader(
            pictures,
            new SequentialSampler(pictures.Count),
            new EvaluationTransform(new() { InputSize = Config.InputSize }),
            new BatchLoaderOptions { BatchSize = batchSize }
        ).Epoch(0, cancellation: TestContext.Current.CancellationToken);
    }

    private static VisionTransformer Model(DeitConfig config, ulong seed)
    {
        VisionTransformer model = new(TestDevice.Current, config);
        model.Parameters.Initialize(seed);
        return model;
    }

    private static float[] Read(VisionTransformer model, string name) =>
        TestDevice.Current.Read<float>(model.Parameters[name]);

    private static float[] Sum(float[] first, float[] second) => [.. first.Zip(second, (a, b) => a + b)];

    private static double Naive(float[] first, float[] second) =>
        first.Zip(second, (a, b) => (double)a * b).Sum()
        / (Math.Sqrt(first.Sum(a => (double)a * a)) * Math.Sqrt(second.Sum(b => (double)b * b)));
}
