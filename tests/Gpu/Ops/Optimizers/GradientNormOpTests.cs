using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Optimizers;

public class GradientNormOpTests
{
    [Theory]
    [InlineData(1, 0.5f)]
    [InlineData(37, 1f)]
    [InlineData(70_001, 1f)]
    [InlineData(113, 1e6f)]
    public void Matches_the_oracle(int count, float maximum) =>
        OpHarness.Check(
            [OpInput.Random([count], differentiable: false)],
            (r, t) =>
            {
                (Tensor norm, Tensor coefficient) = r.ClipScale(t[0], maximum);
                return [norm, coefficient];
            },
            x =>
            {
                double norm = Math.Sqrt(x[0].Sum(v => v * v));
                return
                [
                    [norm],
                    [Math.Min(1, maximum / (norm + 1e-6))],
                ];
            },
            forward: 1e-6, // the sum's roundings, halved by the root
            gradient: 0
        );

    [Theory]
    [InlineData(0f, 0f, 1f)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity, 0f)]
    [InlineData(float.NaN, float.NaN, float.NaN)]
    public void Handles_the_edges(float gradient, float norm, float coefficient)
    {
        using OpRun run = new();
        Tensor gradients = run.Put<float>([3], [0, gradient, 0]);
        Assert.Equal(norm, Assert.Single(OpRun.Run<float>(r => r.ClipScale(gradients, 2).Norm)));
        Assert.Equal(coefficient, Assert.Single(OpRun.Run<float>(r => r.ClipScale(gradients, 2).Coefficient)));
    }

    [Fact]
    public void Refuses_a_maximum_that_is_not_positive()
    {
        using OpRun run = new();
        Tensor gradients = run.Empty([3]);
        Assert.Contains(
            "expected a positive number",
            Assert.Throws<ArgumentOutOfRangeException>(() => OpRun.Run(r => r.ClipScale(gradients, 0))).Message
        );
    }
}
