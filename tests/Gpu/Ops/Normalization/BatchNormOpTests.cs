using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Normalization;

public class BatchNormOpTests
{
    private const double Epsilon = 1e-5;

    // No size has two values a channel: any two normalise to -1 and 1, and the gradient is all rounding.
    public static TheoryData<int, int, int, int> Sizes() =>
        new()
        {
            { 1, 5, 1, 1 },
            { 7, 1, 3, 5 },
            { 3, 5, 7, 37 },
            { 113, 2, 1, 3 },
            { 2, 3, 37, 31 },
        };

    // Statistics of n values carry about sqrt(n) roundings of 6e-8; a mean of 3 costs two more bits.
    [Theory]
    [MemberData(nameof(Sizes))]
    public void Training_matches_the_oracle(int channels, int batch, int height, int width) =>
        OpHarness.Check(
            [
                OpInput.Random([channels, batch, height, width], mean: 3),
                OpInput.Random([channels], 2),
                OpInput.Random([channels], 3),
            ],
            (r, t) => r.BatchNorm(t[0], t[1], t[2], r.Full([channels], 0), r.Full([channels], 1), training: true),
            x =>
            {
                (double[] mean, double[] variance) = Moments(x[0], channels);
                return Normalize(x[0], x[1], x[2], mean, variance);
            },
            forward: 5e-6,
            gradient: 1e-4
        );

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Evaluation_matches_the_oracle(int channels, int batch, int height, int width) =>
        OpHarness.Check(
            [
                OpInput.Random([channels, batch, height, width], mean: 3),
                OpInput.Random([channels], 2),
                OpInput.Random([channels], 3),
                OpInput.Random([channels], 4, differentiable: false),
                Variances(channels),
            ],
            (r, t) => r.BatchNorm(t[0], t[1], t[2], t[3], t[4], training: false),
            x => Normalize(x[0], x[1], x[2], x[3], x[4]),
            forward: 2e-6,
            gradient: 2e-5
        );

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Needs_no_gradient_of_weight_and_bias(bool training) =>
        OpHarness.Check(
            [
                OpInput.Random([3, 2, 5, 7]),
                OpInput.Random([3], 2, differentiable: false),
                OpInput.Random([3], 3, differentiable: false),
            ],
            (r, t) => r.BatchNorm(t[0], t[1], t[2], r.Full([3], 0), r.Full([3], 1), training),
            x =>
            {
                (double[] mean, double[] variance) = training ? Moments(x[0], 3) : ([0, 0, 0], [1, 1, 1]);
                return Normalize(x[0], x[1], x[2], mean, variance);
            },
            forward: 5e-6,
            gradient: 5e-5
        );

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Training_moves_the_running_statistics(int channels, int batch, int height, int width)
    {
        const double momentum = 0.25;
        OpInput x = OpInput.Random([channels, batch, height, width], mean: 3),
            before = OpInput.Random([channels], 4),
            beforeVariance = Variances(channels);
        using OpRun run = new();
        Tensor input = run.Put(x.Shape, x.Values),
            weight = run.Put([channels], before.Values);
        Tensor mean = run.Put([channels], before.Values),
            variance = run.Put([channels], beforeVariance.Values);
        OpRun.Run(r => r.BatchNorm(input, weight, weight, mean, variance, training: true, (float)momentum));
        (double[] batchMean, double[] batchVariance) = Moments(Array.ConvertAll(x.Values, v => (double)v), channels);
        double count = batch * height * width;
        double[] expectedMean = [.. batchMean.Select((m, c) => ((1 - momentum) * before.Values[c]) + (momentum * m))];
        double[] expectedVariance =
        [
            .. batchVariance.Select(
                (v, c) => ((1 - momentum) * beforeVariance.Values[c]) + (momentum * v * count / (count - 1))
            ),
        ];
        Assert.InRange(OpHarness.RelativeError(expectedMean, OpRun.Device.Read<float>(mean)), 0, 2e-6);
        Assert.InRange(OpHarness.RelativeError(expectedVariance, OpRun.Device.Read<float>(variance)), 0, 5e-6);
    }

    [Fact]
    public void Refuses_to_train_on_one_value()
    {
        using OpRun run = new();
        Tensor x = run.Empty([3, 1, 1, 1]),
            c = run.Empty([3]);
        Assert.Contains(
            "raise the batch size",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.BatchNorm(x, c, c, c, c, training: true))).Message
        );
    }

    private static OpInput Variances(int channels) =>
        new(
            [channels],
            Array.ConvertAll(OpInput.Random([channels], 5).Values, v => 0.5f + (v * v)),
            Differentiable: false
        );

    private static (double[] Mean, double[] Variance) Moments(double[] x, int channels)
    {
        double[][] planes = [.. x.Chunk(x.Length / channels)];
        double[] mean = [.. planes.Select(plane => plane.Average())];
        return (mean, [.. planes.Select((plane, c) => plane.Average(v => (v - mean[c]) * (v - mean[c])))]);
    }

    private static double[] Normalize(double[] x, double[] weight, double[] bias, double[] mean, double[] variance)
    {
        int perChannel = x.Length / weight.Length;
        return
        [
            .. x.Select(
                (v, i) =>
                    (
                        (v - mean[i / perChannel])
                        / Math.Sqrt(variance[i / perChannel] + Epsilon)
                        * weight[i / perChannel]
                    ) + bias[i / perChannel]
            ),
        ];
    }
}
