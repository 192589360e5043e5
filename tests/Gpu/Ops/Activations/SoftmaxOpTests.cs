using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Activations;

public class SoftmaxOpTests
{
    // Vulkan allows exp an error of 3 + 2 |argument| ulp; arguments beyond -17 add nothing to a row: 37 * 6e-8.
    private const double Tolerance = 2.5e-6;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 7)]
    [InlineData(7, 37)]
    [InlineData(197, 113)]
    [InlineData(3, 1000)]
    public void Matches_the_oracle(int rows, int columns) =>
        OpHarness.Check(
            [OpInput.Random([rows, columns], scale: 3)],
            (r, t) => r.Softmax(t[0]),
            x => Oracle(x[0], columns),
            Tolerance,
            gradient: 1e-5
        );

    [Fact]
    public void Survives_large_logits() =>
        OpHarness.Check(
            [OpInput.Random([5, 37], scale: 2, mean: 30_000)],
            (r, t) => r.Softmax(t[0]),
            x => Oracle(x[0], 37),
            Tolerance,
            gradient: 1e-5
        );

    [Fact]
    public void Adds_to_a_gradient_that_is_there() =>
        OpHarness.Check(
            [OpInput.Random([7, 113])],
            (r, t) => r.Add(r.Softmax(t[0]), r.Softmax(t[0])),
            x => Array.ConvertAll(Oracle(x[0], 113), y => 2 * y),
            Tolerance,
            gradient: 1e-5
        );

    internal static double[] Oracle(double[] x, int columns) =>
        [
            .. x.Chunk(columns)
                .SelectMany(row =>
                {
                    double largest = row.Max(),
                        sum = row.Sum(z => Math.Exp(z - largest));
                    return row.Select(z => Math.Exp(z - largest) / sum);
                }),
        ];
}
