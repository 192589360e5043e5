using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Losses;

public class CrossEntropyOpTests
{
    // exp and log within a few ulp, sums of C values: see SoftmaxOpTests.
    private const double Tolerance = 2.5e-6;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 7)]
    [InlineData(7, 37)]
    [InlineData(197, 113)]
    [InlineData(5, 1000)]
    public void Matches_the_oracle(int rows, int columns) =>
        OpHarness.Check(
            [OpInput.Random([rows, columns], scale: 3), Targets(rows, columns)],
            (r, t) => r.CrossEntropy(t[0], t[1]),
            x => [Oracle(x[0], x[1], columns)],
            Tolerance,
            gradient: 1e-5
        );

    [Fact]
    public void Survives_large_logits() =>
        OpHarness.Check(
            [OpInput.Random([7, 37], scale: 50, mean: -10_000), Targets(7, 37)],
            (r, t) => r.CrossEntropy(t[0], t[1]),
            x => [Oracle(x[0], x[1], 37)],
            Tolerance,
            gradient: 1e-5
        );

    [Fact]
    public void Adds_to_a_gradient_that_is_there() =>
        OpHarness.Check(
            [OpInput.Random([7, 37]), Targets(7, 37)],
            (r, t) => r.Add(r.CrossEntropy(t[0], t[1]), r.CrossEntropy(t[0], t[1])),
            x => [2 * Oracle(x[0], x[1], 37)],
            Tolerance,
            gradient: 1e-5
        );

    [Fact]
    public void Refuses_targets_of_another_shape()
    {
        using OpRun run = new();
        Tensor logits = run.Empty([2, 3]),
            targets = run.Empty([2, 4]);
        Assert.Contains(
            "expected the same shape",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.CrossEntropy(logits, targets))).Message
        );
    }

    internal static double Oracle(double[] logits, double[] targets, int columns) =>
        logits
            .Chunk(columns)
            .Zip(
                targets.Chunk(columns),
                (z, t) =>
                {
                    double largest = z.Max(),
                        logSum = Math.Log(z.Sum(v => Math.Exp(v - largest)));
                    return z.Zip(t, (v, weight) => weight * (logSum - (v - largest))).Sum();
                }
            )
            .Average();

    // Weights that do not sum to 1, some zero: nothing in the op may lean on a distribution.
    private static OpInput Targets(int rows, int columns)
    {
        OpInput random = OpInput.Random([rows, columns], 5, differentiable: false);
        return random with { Values = Array.ConvertAll(random.Values, v => Math.Max(0, v)) };
    }
}
