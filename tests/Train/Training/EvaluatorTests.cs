using Deit.Model;
using Deit.Tests.Gpu;
using Deit.Tests.Train.Data.Loading;
using Deit.Tests.Train.Distributed;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Loading;
using Deit.Train.Training;

namespace Deit.Tests.Train.Training;

public class EvaluatorTests
{
    [Theory]
    [InlineData(new float[] { 1, 3, 2 }, 0, 2)]
    [InlineData(new float[] { 1, 3, 2 }, 1, 0)]
    [InlineData(new float[] { 1, 3, 2 }, 2, 1)]
    [InlineData(new float[] { -1 }, 0, 0)]
    [InlineData(new float[] { 2, 2, 2 }, 0, 0)] // ties keep the order of the classes
    [InlineData(new float[] { 2, 2, 2 }, 2, 2)]
    [InlineData(new float[] { 5, 2, 2 }, 1, 1)]
    [InlineData(new float[] { float.NegativeInfinity, 0 }, 0, 1)]
    [InlineData(new float[] { float.NaN, 1, 2 }, 0, 2)] // NaN is never right
    [InlineData(new float[] { float.NaN, float.NaN }, 0, 1)]
    [InlineData(new float[] { float.NaN, 1, 2 }, 2, 0)]
    public void Rank(float[] logits, int label, int expected) =>
        Assert.Equal(expected, Evaluator.Score(logits, label).Rank);

    [Fact]
    public void Loss_is_the_cross_entropy()
    {
        Assert.Equal(Math.Log(Math.Exp(1) + Math.Exp(3) + Math.Exp(2)) - 1, Evaluator.Score([1, 3, 2], 0).Loss, 1e-12);
        Assert.Equal(Math.Log(4), Evaluator.Score([7, 7, 7, 7], 3).Loss, 1e-12);
        // The logits are far beyond the range of exp: e^-2000 is nothing beside 1.
        Assert.Equal(0, Evaluator.Score([1000, -1000], 0).Loss);
        Assert.Equal(2000, Evaluator.Score([1000, -1000], 1).Loss);
        Assert.True(double.IsNaN(Evaluator.Score([float.NaN, 1], 1).Loss));
    }

    // 13 pictures in batches of 5, two of which cannot be read, make batches of 5, 4 and 2. The oracle is batches of
    // one picture, which have no rows beside the ones that count.
    [Fact]
    public void A_partial_last_batch_and_unreadable_pictures_count_only_what_was_read()
    {
        Evaluation one = Evaluate(1),
            five = Evaluate(5);
        Assert.Equal(11, one.Images);
        Assert.Equal(one.Images, five.Images);
        Assert.Equal(one.Top1, five.Top1);
        Assert.Equal(one.Top5, five.Top5);
        Assert.InRange(five.Top1, 0, five.Top5);
        Assert.Equal(one.Loss, five.Loss, 1e-5); // rows are computed alike, but other kernels may serve other row counts
    }

    // Batches of 2 make 7, which no number of ranks divides; 5 ranks have one or two each, and 8 leave one without any.
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(8)]
    public async Task Ranks_that_divide_the_batches_count_the_same_bits_as_one_process(int ranks)
    {
        using VisionTransformer model = Model(8);
        using Evaluator evaluator = new(TestDevice.Current, [model], 2) { KeepLogitsOf = 3 };
        Evaluation whole = evaluator.Run(Loader(2).Epoch(0, cancellation: TestContext.Current.CancellationToken))[0];
        ScoredSplit[] parts =
        [
            .. Enumerable
                .Range(0, ranks)
                .Select(rank =>
                    evaluator.Score(
                        Loader(2)
                            .Epoch(
                                0,
                                takes: batch => batch % ranks == rank,
                                cancellation: TestContext.Current.CancellationToken
                            )
                    )[0]
                ),
        ];
        Evaluation[] all = await ThreadWorldTests.OnEachRank(ranks, world => parts[world.Rank].Gather(world).Count());
        Assert.All(
            all,
            evaluation =>
            {
                Assert.Equal(whole.Predictions, evaluation.Predictions);
                Assert.Equal(whole.Total, evaluation.Total);
                Assert.Equal(whole.Logits!.All, evaluation.Logits!.All);
                Assert.Equal(whole.Unread(13), evaluation.Unread(13));
            }
        );
    }

    [Fact]
    public void With_five_classes_or_fewer_every_label_is_among_the_first_five() =>
        Assert.Equal(1, Evaluate(4, classes: 5).Top5);

    [Fact]
    public void Nothing_to_evaluate_is_said()
    {
        using VisionTransformer model = Model(8);
        using Evaluator evaluator = new(TestDevice.Current, [model], 2);
        Assert.Contains("No image could be evaluated", Assert.Throws<DeitException>(() => evaluator.Run([])).Message);
    }

    private static BatchLoader Loader(int batchSize)
    {
        GeneratedDataset pictures = new(13, unreadable: [6, 12]);
        return new BatchLoader(
            pictures,
            new SequentialSampler(pictures.Count),
            new EvaluationTransform(new() { InputSize = TinyRun.Config.InputSize }),
            new BatchLoaderOptions { BatchSize = batchSize }
        );
    }

    private static Evaluation Evaluate(int batchSize, int classes = 8)
    {
        using VisionTransformer model = Model(classes);
        using Evaluator evaluator = new(TestDevice.Current, [model], batchSize);
        return evaluator.Run(Loader(batchSize).Epoch(0))[0];
    }

    private static VisionTransformer Model(int classes)
    {
        VisionTransformer model = new(TestDevice.Current, TinyRun.Config with { NumClasses = classes });
        model.Parameters.Initialize(5);
        return model;
    }
}
