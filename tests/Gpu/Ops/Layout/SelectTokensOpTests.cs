using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Layout;

public class SelectTokensOpTests
{
    [Theory]
    [InlineData(1, 1, 1, 0, 1)]
    [InlineData(2, 7, 37, 0, 1)]
    [InlineData(7, 37, 113, 1, 1)]
    [InlineData(3, 197, 7, 2, 195)]
    public void Selects(int batch, int tokens, int columns, int first, int count) =>
        OpHarness.Check(
            [OpInput.Random([batch, tokens, columns])],
            (r, t) => r.SelectTokens(t[0], first, count),
            x => Oracle(x[0], tokens, columns, first, count),
            forward: 0, // values only move
            gradient: 1e-6
        );

    // The second use begins a gradient, the first one adds to it: on overlapping tokens, and on others.
    [Fact]
    public void Adds_to_a_gradient_that_is_there() =>
        OpHarness.Check(
            [OpInput.Random([2, 7, 37])],
            (r, t) => [r.SelectTokens(t[0], 0, 3), r.SelectTokens(t[0], 2, 4)],
            x => [Oracle(x[0], 7, 37, 0, 3), Oracle(x[0], 7, 37, 2, 4)],
            forward: 0,
            gradient: 1e-6
        );

    // Values only move; two gradients are added where the selections overlap, each rounded and their sum as well.
    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void In_16_bits(DType type) =>
        OpHarness.Check(
            [OpInput.Random([2, 7, 37]).In(type)],
            (r, t) =>
            {
                Tensor x = r.Cast(t[0], type);
                return [r.Cast(r.SelectTokens(x, 0, 3), DType.F32), r.Cast(r.SelectTokens(x, 2, 4), DType.F32)];
            },
            x => [Oracle(x[0], 7, 37, 0, 3), Oracle(x[0], 7, 37, 2, 4)],
            forward: 0,
            gradient: 2 * ShortTypes.Roundoff(type)
        );

    [Fact]
    public void Refuses_tokens_that_are_not_there()
    {
        using OpRun run = new();
        Tensor x = run.Empty([2, 5, 3]);
        Assert.Contains(
            "within 5 tokens",
            Assert.Throws<ArgumentOutOfRangeException>(() => OpRun.Run(r => r.SelectTokens(x, 4, 2))).Message
        );
    }

    private static double[] Oracle(double[] x, int tokens, int columns, int first, int count) =>
        [.. x.Chunk(tokens * columns).SelectMany(sample => sample.Skip(first * columns).Take(count * columns))];
}
