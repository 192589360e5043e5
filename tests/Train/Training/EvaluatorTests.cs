using Deit.Model;
using Deit.Tests.Gpu;
using Deit.Tests.Train.Data.Loading;
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

    private static Evaluation Evaluate(int batchSize, int classes = 8)
    {
        GeneratedDataset pictures = new(13, unreadable: [6, 12]);
        BatchLoader loader = new(
            pictures,
            new SequentialSampler(pictures.Count),
            new EvaluationTransform(new() { InputSize = TinyRun.Config.InputSize }),
            new BatchLoaderOptions { BatchSize = batchSize }
        );
        using VisionTransformer model = Model(classes);
        using Evaluator evaluator = new(TestDevice.Current, [model], batchSize);
        return evaluator.Run(loader.Epoch(0))[0];
    }

    private static VisionTransformer Model(int classes)
    {
        VisionTransformer model = new(TestDevice.Current, TinyRun.Config with { NumClasses = classes });
        model.Parameters.Initialize(5);
        return model;
    }
}
