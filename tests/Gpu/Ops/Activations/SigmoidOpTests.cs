using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Activations;

public class SigmoidOpTests
{
    // exp may carry 3 + 2 |x| units in the last place on Vulkan.
    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    [InlineData(1031)]
    public void Matches_the_oracle(int count) =>
        OpHarness.Check(
            [OpInput.Random([count], scale: 3)],
            (r, t) => r.Sigmoid(t[0]),
            x => Array.ConvertAll(x[0], v => 1 / (1 + Math.Exp(-v))),
            forward: 1e-6,
            gradient: 1e-5
        );

    // One rounding of the result; of the gradient those of the result, of its gradient and of its own.
    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void Of_16_bits(DType type) =>
        OpHarness.Check(
            [OpInput.Random([1025], scale: 2).In(type)],
            (r, t) => r.Cast(r.Sigmoid(r.Cast(t[0], type)), DType.F32),
            x => Array.ConvertAll(x[0], v => 1 / (1 + Math.Exp(-v))),
            forward: ShortTypes.Roundoff(type),
            gradient: 3 * ShortTypes.Roundoff(type)
        );

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
