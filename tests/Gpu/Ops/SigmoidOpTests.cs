using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops;

public class SigmoidOpTests
{
    // exp may carry 3 + 2 |x| units in the last place on Vulkan.
    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    [InlineData(1031)]
    public void Matches_the_oracle(int count) => OpHarness.Check(
        [OpInput.Random([count], scale: 3)],
        (r, t) => r.Sigmoid(t[0]),
        x => Array.ConvertAll(x[0], v => 1 / (1 + Math.Exp(-v))),
        forward: 1e-6,
        gradient: 1e-5);

    [Fact]
    public void Keeps_its_limits_far_out()
    {
        using OpRun run = new();
        Tensor x = run.Put([4], [-1e4f, -100f, 100f, 1e4f]);
        float[] y = OpRun.Run<float>(r => r.Sigmoid(x));
        // exp(-100) = 3.7e-44 is subnormal, and may be flushed.
        Assert.All(y[..2], v => Assert.InRange(v, 0, 1e-43f));
        Assert.All(y[2..], v => Assert.Equal(1, v));
    }
}
