using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Reductions;

public class SumOpTests
{
    // Values of one sign, so that the relative error is that of the roundings: a few hundred additions of 6e-8 that mostly cancel.
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(197)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(70_001)]
    [InlineData(1_200_007)]
    public void Sums_everything(int count) =>
        OpHarness.Check(
            [OpInput.Random([count], mean: 5, differentiable: false)],
            (r, t) => [r.Sum(t[0], 0.37f), r.SumOfSquares(t[0], 0.37f)],
            x =>
                [
                    [0.37f * x[0].Sum()],
                    [0.37f * x[0].Sum(v => v * v)],
                ],
            forward: 1e-6,
            gradient: 0
        );

    [Fact]
    public void Sums_more_than_one_range()
    {
        long range = OpRun.Device.Info.MaxStorageBufferRange;
        Assert.SkipWhen(range > 1L << 28, $"the device binds {range} bytes at once, more than a test should take");
        int count = (int)(range / sizeof(float)) + 333;
        using OpRun run = new();
        Tensor x = run.Empty([count]);
        // Ones with a seven at the very end, so that a part left out or taken twice shows.
        float sum = Assert.Single(
            OpRun.Run<float>(r =>
            {
                r.Fill(x, 1);
                r.Fill(x.Slice(count / 64 * 64, [count % 64]), 7);
                return r.Sum(x);
            })
        );
        double expected = count + (6.0 * (count % 64));
        // Sums of whole numbers are exact up to 2^24; the few beyond it round by 6e-8 each.
        Assert.Equal(expected, sum, expected * 3e-7);
    }
}
