using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Layout;

public class TokensOpTests
{
    private const double OneRounding = 6e-8;

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 7, 37)]
    [InlineData(7, 36, 113)]
    [InlineData(3, 196, 192)]
    public void Puts_one_token_in_front(int batch, int patches, int columns) =>
        OpHarness.Check(
            [
                OpInput.Random([batch, patches, columns]),
                OpInput.Random([1, 1, columns], 2),
                OpInput.Random([1, patches + 1, columns], 3),
            ],
            (r, t) => r.Tokens(t[0], t[1], null, t[2]),
            x => Oracle(x[0], [x[1]], x[2], batch),
            OneRounding,
            gradient: 1e-6
        );

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 7, 37)]
    [InlineData(7, 36, 113)]
    public void Puts_two_tokens_in_front(int batch, int patches, int columns) =>
        OpHarness.Check(
            [
                OpInput.Random([batch, patches, columns]),
                OpInput.Random([1, 1, columns], 2),
                OpInput.Random([1, 1, columns], 3),
                OpInput.Random([1, patches + 2, columns], 4),
            ],
            (r, t) => r.Tokens(t[0], t[1], t[2], t[3]),
            x => Oracle(x[0], [x[1], x[2]], x[3], batch),
            OneRounding,
            gradient: 1e-6
        );

    // The sum is rounded once, its gradient too.
    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void In_16_bits(DType type) =>
        OpHarness.Check(
            [
                OpInput.Random([3, 7, 37]).In(type),
                OpInput.Random([1, 1, 37], 2),
                OpInput.Random([1, 1, 37], 3),
                OpInput.Random([1, 9, 37], 4),
            ],
            (r, t) => r.Cast(r.Tokens(r.Cast(t[0], type), t[1], t[2], t[3]), DType.F32),
            x => Oracle(x[0], [x[1], x[2]], x[3], 3),
            ShortTypes.Roundoff(type),
            gradient: ShortTypes.Roundoff(type)
        );

    [Fact]
    public void Adds_to_gradients_that_are_there() =>
        OpHarness.Check(
            [
                OpInput.Random([2, 7, 37]),
                OpInput.Random([1, 1, 37], 2),
                OpInput.Random([1, 1, 37], 3),
                OpInput.Random([1, 9, 37], 4),
            ],
            (r, t) => r.Add(r.Tokens(t[0], t[1], t[2], t[3]), r.Tokens(t[0], t[1], t[2], t[3])),
            x => Array.ConvertAll(Oracle(x[0], [x[1], x[2]], x[3], 2), v => 2 * v),
            OneRounding,
            gradient: 1e-6
        );

    [Fact]
    public void Frozen_inputs_get_no_gradient() =>
        OpHarness.Check(
            [
                OpInput.Random([2, 7, 37], differentiable: false),
                OpInput.Random([1, 1, 37], 2),
                OpInput.Random([1, 1, 37], 3, differentiable: false),
                OpInput.Random([1, 9, 37], 4, differentiable: false),
            ],
            (r, t) => r.Tokens(t[0], t[1], t[2], t[3]),
            x => Oracle(x[0], [x[1], x[2]], x[3], 2),
            OneRounding,
            gradient: 1e-6
        );

    [Fact]
    public void Refuses_positions_of_another_length()
    {
        using OpRun run = new();
        Tensor patches = run.Empty([2, 4, 8]),
            token = run.Empty([1, 1, 8]),
            position = run.Empty([1, 4, 8]);
        Assert.Contains(
            "positions [1, 5, 8]",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.Tokens(patches, token, null, position))).Message
        );
    }

    private static double[] Oracle(double[] patches, double[][] prefix, double[] position, int batch) =>
        [
            .. patches
                .Chunk(patches.Length / batch)
                .SelectMany(image => prefix.SelectMany(token => token).Concat(image).Zip(position, (v, p) => v + p)),
        ];
}
