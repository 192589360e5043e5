using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Layout;

public class SwapLeadingOpTests
{
    // Values only move.
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 3, 37)]
    [InlineData(7, 5, 1)]
    [InlineData(3, 1, 113)]
    public void Matches_the_oracle(int first, int second, int columns) =>
        OpHarness.Check(
            [OpInput.Random([first, second, columns])],
            (r, t) => r.SwapLeading(t[0]),
            x =>
                [
                    .. from b in Enumerable.Range(0, second)
                    from a in Enumerable.Range(0, first)
                    from i in Enumerable.Range(0, columns)
                    select x[0][(((a * second) + b) * columns) + i],
                ],
            forward: 0,
            gradient: 1e-6
        );

    [Fact]
    public void Adds_to_a_gradient_that_is_there() =>
        OpHarness.Check(
            [OpInput.Random([3, 3, 7])],
            (r, t) => r.Add(r.SwapLeading(t[0]), t[0]),
            x => [.. x[0].Select((v, i) => v + x[0][(((i / 7 % 3 * 3) + (i / 21)) * 7) + (i % 7)])],
            forward: 1e-7,
            gradient: 1e-6
        );
}
