using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Convolution;

public class ChannelScaleOpTests
{
    // One rounding forward; a factor's gradient sums over the pixels.
    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(7, 2, 5, 3)]
    [InlineData(3, 4, 1, 37)]
    [InlineData(2, 3, 113, 3)]
    // One rounding of 6e-8; sums of up to 226 terms in the factor's gradient, a rounding of 6e-8 each.
    public void Matches_the_oracle(int channels, int batch, int height, int width) =>
        OpHarness.Check(
            [OpInput.Random([channels, batch, height, width]), OpInput.Random([batch, channels], 2)],
            (r, t) => r.ChannelScale(t[0], t[1]),
            x =>
                [
                    .. x[0]
                        .Select(
                            (v, i) =>
                                v * x[1][(i / (height * width) % batch * channels) + (i / (height * width * batch))]
                        ),
                ],
            forward: 1e-7,
            gradient: 1e-5
        );

    [Fact]
    public void Adds_to_gradients_that_are_there() =>
        OpHarness.Check(
            [OpInput.Random([2, 2, 3, 3]), OpInput.Random([2, 2], 2)],
            (r, t) => r.Add(r.ChannelScale(t[0], t[1]), r.ChannelScale(t[0], t[1])),
            x => [.. x[0].Select((v, i) => 2 * v * x[1][(i / 9 % 2 * 2) + (i / 18)])],
            forward: 1e-7,
            gradient: 1e-5
        );

    [Fact]
    public void Refuses_factors_in_the_order_of_the_planes()
    {
        using OpRun run = new();
        Tensor x = run.Empty([3, 2, 5, 5]),
            scale = run.Empty([3, 2]);
        Assert.Contains(
            "expected factors [2, 3]",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.ChannelScale(x, scale))).Message
        );
    }
}
