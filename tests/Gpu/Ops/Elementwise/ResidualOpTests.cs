using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Elementwise;

public class ResidualOpTests
{
    // A product and a sum.
    private const double TwoRoundings = 1.2e-7;

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 37, 113)]
    [InlineData(3, 197, 7)]
    [InlineData(3, 5, 192)]
    public void Adds_a_branch(int batch, int tokens, int columns) =>
        OpHarness.Check(
            [OpInput.Random([batch, tokens, columns]), OpInput.Random([batch, tokens, columns], 2)],
            (r, t) => r.ResidualAdd(t[0], t[1]),
            x => [.. x[0].Zip(x[1], (a, b) => a + b)],
            TwoRoundings,
            gradient: 1e-6
        );

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 37, 113)]
    [InlineData(3, 197, 7)]
    [InlineData(3, 5, 192)]
    public void Scales_the_branch_of_each_sample(int batch, int tokens, int columns) =>
        OpHarness.Check(
            [OpInput.Random([batch, tokens, columns]), OpInput.Random([batch, tokens, columns], 2), Scale(batch)],
            (r, t) => r.ResidualAdd(t[0], t[1], t[2]),
            x => [.. x[0].Select((a, i) => a + (x[2][i / (tokens * columns)] * x[1][i]))],
            TwoRoundings,
            gradient: 1e-6
        );

    // The sum is F32; the branch's gradient is rounded once.
    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void Adds_a_branch_of_16_bits(DType type)
    {
        OpHarness.Check(
            [OpInput.Random([3, 7, 37]), OpInput.Random([3, 7, 37], 2).In(type)],
            (r, t) => r.ResidualAdd(t[0], r.Cast(t[1], type)),
            x => [.. x[0].Zip(x[1], (a, b) => a + b)],
            TwoRoundings,
            gradient: ShortTypes.Roundoff(type)
        );
        OpHarness.Check(
            [OpInput.Random([3, 7, 37]), OpInput.Random([3, 7, 37], 2).In(type), Scale(3)],
            (r, t) => r.ResidualAdd(t[0], r.Cast(t[1], type), t[2]),
            x => [.. x[0].Select((a, i) => a + (x[2][i / (7 * 37)] * x[1][i]))],
            TwoRoundings,
            gradient: ShortTypes.Roundoff(type)
        );
    }

    // One rounding of the sum; the gradient of each is rounded once more where a factor comes in.
    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void In_a_stream_of_16_bits(DType type)
    {
        OpHarness.Check(
            [OpInput.Random([3, 7, 37]).In(type), OpInput.Random([3, 7, 37], 2).In(type)],
            (r, t) => r.Cast(r.ResidualAdd(r.Cast(t[0], type), r.Cast(t[1], type)), DType.F32),
            x => [.. x[0].Zip(x[1], (a, b) => a + b)],
            ShortTypes.Roundoff(type),
            gradient: ShortTypes.Roundoff(type)
        );
        OpHarness.Check(
            [OpInput.Random([3, 7, 37]).In(type), OpInput.Random([3, 7, 37], 2).In(type), Scale(3)],
            (r, t) => r.Cast(r.ResidualAdd(r.Cast(t[0], type), r.Cast(t[1], type), t[2]), DType.F32),
            x => [.. x[0].Select((a, i) => a + (x[2][i / (7 * 37)] * x[1][i]))],
            ShortTypes.Roundoff(type),
            gradient: 2 * ShortTypes.Roundoff(type)
        );
    }

    // x and the branch are one tensor, and the sum goes on into two uses: gradients that were passed on must not be changed in place.
    [Fact]
    public void Adds_to_gradients_that_are_there() =>
        OpHarness.Check(
            [OpInput.Random([2, 7, 37]), Scale(2)],
            (r, t) =>
            {
                Tensor y = r.ResidualAdd(t[0], t[0], t[1]);
                return r.ResidualAdd(r.ResidualAdd(y, t[0], t[1]), y);
            },
            x => [.. x[0].Select((a, i) => a * (2 + (3 * x[1][i / (7 * 37)])))],
            4 * TwoRoundings,
            gradient: 1e-6
        );

    [Fact]
    public void Refuses_a_scale_of_another_batch()
    {
        using OpRun run = new();
        Tensor x = run.Empty([2, 5, 3]),
            scale = run.Empty([5]);
        Assert.Contains(
            "each of 2 samples",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.ResidualAdd(x, x, scale))).Message
        );
    }

    [Fact]
    public void Refuses_a_stream_of_another_short_type()
    {
        using OpRun run = new();
        Tensor x = run.Empty([2, 5, 4], DType.F16),
            branch = run.Empty([2, 5, 4], DType.BF16);
        Assert.Contains(
            "expected a stream of F32 or of the branch's type",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.ResidualAdd(x, branch))).Message
        );
    }

    // Some samples dropped, as in use.
    private static OpInput Scale(int batch) =>
        new([batch], [.. Enumerable.Range(0, batch).Select(b => b % 3 == 1 ? 0 : 1.25f)], Differentiable: false);
}
