using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Elementwise;

public class LayerScaleOpTests
{
    // One rounding of 6e-8 forward; a factor's gradient sums over at most 150 rows, a rounding each.
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 3, 7)]
    [InlineData(3, 50, 192)]
    [InlineData(2, 5, 1030)]
    public void Matches_the_oracle(int batch, int tokens, int channels) =>
        OpHarness.Check(
            [OpInput.Random([batch, tokens, channels]), OpInput.Random([channels], 2)],
            (r, t) => r.LayerScale(t[0], t[1]),
            x => [.. x[0].Select((v, i) => v * x[1][i % channels])],
            forward: 1e-7,
            gradient: 1e-5
        );

    // Rounded once forward; the gradient of x is rounded as it comes and once more.
    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void Scales_16_bits(DType type) =>
        OpHarness.Check(
            [OpInput.Random([3, 7, 37]).In(type), OpInput.Random([37], 2)],
            (r, t) => r.Cast(r.LayerScale(r.Cast(t[0], type), t[1]), DType.F32),
            x => [.. x[0].Select((v, i) => v * x[1][i % 37])],
            forward: ShortTypes.Roundoff(type),
            gradient: 3 * ShortTypes.Roundoff(type)
        );

    [Fact]
    public void Adds_to_gradients_that_are_there() =>
        OpHarness.Check(
            [OpInput.Random([2, 3, 8]), OpInput.Random([8], 2)],
            (r, t) => r.Add(r.LayerScale(t[0], t[1]), r.LayerScale(t[0], t[1])),
            x => [.. x[0].Select((v, i) => 2 * v * x[1][i % 8])],
            forward: 1e-7,
            gradient: 1e-5
        );

    [Fact]
    public void Refuses_another_number_of_factors()
    {
        using OpRun run = new();
        Tensor x = run.Empty([3, 2, 5]),
            gamma = run.Empty([6]);
        Assert.Contains(
            "expected 5 factors",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.LayerScale(x, gamma))).Message
        );
    }
}
