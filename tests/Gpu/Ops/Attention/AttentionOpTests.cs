using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Attention;

public class AttentionOpTests
{
    private static readonly DType[] Short = [DType.F16, DType.BF16],
        All = [DType.F32, .. Short];

    // Scores of D products, weights from exp, sums of N weights: some ten roundings of 6e-8 each way, more in the gradients.
    [Theory]
    [InlineData(1, 1, 1, 4)]
    [InlineData(2, 7, 3, 16)]
    [InlineData(1, 37, 2, 64)]
    [InlineData(3, 13, 1, 33)]
    [InlineData(1, 113, 1, 32)]
    [InlineData(1, 5, 1, 128)]
    public void Matches_the_oracle(int batch, int tokens, int heads, int dimension) =>
        OpHarness.Check(
            [OpInput.Random([batch, tokens, 3 * heads * dimension])],
            (r, t) => r.Attention(t[0], heads),
            x => Oracle(x[0], batch, tokens, heads, dimension),
            forward: 2e-6,
            gradient: 2e-5
        );

    // The second gradient of qkv is added to the first.
    [Theory]
    [InlineData(1, 13, 2, 16)]
    [InlineData(1, 13, 1, 33)]
    public void Gradients_add_up(int batch, int tokens, int heads, int dimension) =>
        OpHarness.Check(
            [OpInput.Random([batch, tokens, 3 * heads * dimension])],
            (r, t) => r.Add(r.Attention(t[0], heads), r.Attention(t[0], heads)),
            x => [.. Oracle(x[0], batch, tokens, heads, dimension).Select(y => 2 * y)],
            forward: 2e-6,
            gradient: 2e-5
        );

    [Fact]
    public void Large_scores_do_not_overflow() =>
        OpHarness.Check(
            [OpInput.Random([1, 9, 3 * 16], scale: 20, differentiable: false)],
            (r, t) => r.Attention(t[0], 1),
            x => Oracle(x[0], 1, 9, 1, 16),
            forward: 1e-4, // scores near 1000 carry an absolute error of 6e-5 into exp
            gradient: 0
        );

    // One rounding of the result; in the gradients those of the result, of its gradient and of their own.
    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void Of_16_bits(DType type) =>
        OpHarness.Check(
            [OpInput.Random([2, 13, 3 * 2 * 16]).In(type)],
            (r, t) => r.Cast(r.Attention(r.Cast(t[0], type), 2), DType.F32),
            x => Oracle(x[0], 2, 13, 2, 16),
            forward: ShortTypes.Roundoff(type),
            gradient: 4 * ShortTypes.Roundoff(type)
        );

    // A variant that is only measured on one device may be the choice on another, so that every variant must be right
    // everywhere. Lengths are as below. Dimensions are no multiple of those that the lanes of a row, or one of them,
    // have.
    [Theory]
    [InlineData(2, 1, 1, 32)]
    [InlineData(1, 7, 2, 16)]
    [InlineData(2, 17, 3, 33)]
    [InlineData(1, 17, 2, 80)]
    [InlineData(1, 65, 2, 64)]
    [InlineData(1, 9, 1, 128)]
    [InlineData(1, 197, 1, 64)]
    [InlineData(1, 198, 1, 32)]
    [InlineData(1, 577, 1, 16)]
    [InlineData(1, 578, 1, 16)]
    public void Every_variant(int batch, int tokens, int heads, int dimension) =>
        WithEveryVariant(
            [DType.F32],
            dimension,
            _ =>
                OpHarness.Check(
                    [OpInput.Random([batch, tokens, 3 * heads * dimension])],
                    (r, t) => r.Attention(t[0], heads),
                    x => Oracle(x[0], batch, tokens, heads, dimension),
                    forward: 2e-6,
                    gradient: 2e-5
                )
        );

    // Lengths lie around the tiles' blocks and are DeiT's at 224 and 384 pixels with one and two tokens. Beside the
    // roundings above, matrix units round the weights and, in the backward pass, the gradients of the scores: one of
    // each on the way to an element, independent, so that a unit more covers either.
    [Theory]
    [InlineData(2, 1, 1, 64)]
    [InlineData(1, 7, 2, 32)]
    [InlineData(1, 8, 1, 64)]
    [InlineData(2, 9, 3, 64)]
    [InlineData(1, 17, 2, 80)]
    [InlineData(1, 63, 1, 32)]
    [InlineData(1, 64, 1, 64)]
    [InlineData(2, 65, 2, 16)]
    [InlineData(1, 197, 1, 64)]
    [InlineData(1, 198, 1, 32)]
    [InlineData(1, 577, 1, 16)]
    [InlineData(1, 578, 1, 16)]
    public void Every_variant_of_16_bits(int batch, int tokens, int heads, int dimension) =>
        WithEveryVariant(
            Short,
            dimension,
            type =>
                OpHarness.Check(
                    [OpInput.Random([batch, tokens, 3 * heads * dimension]).In(type)],
                    (r, t) => r.Cast(r.Attention(r.Cast(t[0], type), heads), DType.F32),
                    x => Oracle(x[0], batch, tokens, heads, dimension),
                    forward: 2 * ShortTypes.Roundoff(type),
                    gradient: 5 * ShortTypes.Roundoff(type)
                )
        );

    // The second gradient of qkv is added to the first, which is rounded once more.
    [Theory]
    [InlineData(32)]
    [InlineData(33)]
    public void Gradients_of_every_variant_add_up(int dimension) =>
        WithEveryVariant(
            All,
            dimension,
            type =>
                OpHarness.Check(
                    [OpInput.Random([1, 37, 3 * 2 * dimension]).In(type)],
                    (r, t) =>
                    {
                        Tensor qkv = r.Cast(t[0], type);
                        return r.Add(r.Cast(r.Attention(qkv, 2), DType.F32), r.Cast(r.Attention(qkv, 2), DType.F32));
                    },
                    x => [.. Oracle(x[0], 1, 37, 2, dimension).Select(y => 2 * y)],
                    forward: type == DType.F32 ? 2e-6 : 2 * ShortTypes.Roundoff(type),
                    gradient: type == DType.F32 ? 2e-5 : 6 * ShortTypes.Roundoff(type)
                )
        );

    // Scores of some thousands, exact in F32 but for 1e-4, which is below a rounding of 16 bits.
    [Fact]
    public void Large_scores_of_every_variant_do_not_overflow() =>
        WithEveryVariant(
            All,
            64,
            type =>
                OpHarness.Check(
                    [OpInput.Random([1, 41, 3 * 64], scale: 20, differentiable: false).In(type)],
                    (r, t) => r.Cast(r.Attention(r.Cast(t[0], type), 1), DType.F32),
                    x => Oracle(x[0], 1, 41, 1, 64),
                    forward: type == DType.F32 ? 1e-4 : 2 * ShortTypes.Roundoff(type),
                    gradient: 0
                )
        );

    // All scores lie near -512: a weight that a kernel gave to a key past the end would be infinite. Queries and keys
    // are eight times larger than in the tests above, and so is the effect of a rounding of the result through delta.
    // In F32 a score is off by some 2^-16, which is its own rounding, and its weight is off by as much.
    [Fact]
    public void Scores_far_below_zero() =>
        WithEveryVariant(
            All,
            64,
            type =>
            {
                const int Tokens = 41,
                    Dimension = 64;
                OpInput input = OpInput.Random([1, Tokens, 3 * Dimension]);
                for (int i = 0; i < input.Values.Length; i++)
                    input.Values[i] = (i / Dimension % 3) switch
                    {
                        0 => 8 + (input.Values[i] / 4),
                        1 => -8 + (input.Values[i] / 4),
                        _ => input.Values[i],
                    };
                OpHarness.Check(
                    [input.In(type)],
                    (r, t) => r.Cast(r.Attention(r.Cast(t[0], type), 1), DType.F32),
                    x => Oracle(x[0], 1, Tokens, 1, Dimension),
                    forward: type == DType.F32 ? 4 * Math.Pow(2, -16) : 2 * ShortTypes.Roundoff(type),
                    gradient: 8 * (type == DType.F32 ? 4 * Math.Pow(2, -16) : 5 * ShortTypes.Roundoff(type))
                );
            }
        );

    // Tiles in shared memory are for cards, as many of them as fit. With 48 KiB none of 32 x 64 fits, with 64 KiB two do.
    // For the largest heads only the narrowest tile fits. A lane has a row to itself where four rows fit its registers.
    [Theory]
    [InlineData(48, 64, "tiled 64x32 2x4", "tiled 64x32 4x4", "tiled 32x32 2x4", "tiled 64x16 2x4", "tiled 32x16 4x4")]
    [InlineData(
        64,
        64,
        "tiled 64x32 2x4",
        "tiled 64x32 4x4",
        "tiled 32x64 2x4",
        "tiled 32x64 1x4",
        "tiled 32x32 2x4",
        "tiled 64x16 2x4",
        "tiled 32x16 4x4"
    )]
    [InlineData(48, 128, "tiled 32x16 4x4")]
    [InlineData(20, 32, "tiled 32x32 2x4", "tiled 64x16 2x4", "tiled 32x16 4x4", "row a lane")]
    public void Cards_choose_from_tiles(int kibibytes, int dimension, params string[] tiles)
    {
        GpuInfo card = TestDevice.Current.Info with
        {
            Type = GpuType.Discrete,
            SubgroupSize = 32,
            MaxWorkgroupSize = 1024,
            SharedMemoryBytes = kibibytes * 1024,
            MatrixShapes = [],
        };
        Assert.Equal(tiles, AttentionOp.Candidates(card, DType.F32, dimension));
        Assert.DoesNotContain(
            AttentionOp.Candidates(card with { Type = GpuType.Cpu }, DType.F32, dimension),
            name => name.StartsWith("tiled", StringComparison.Ordinal)
        );
    }

    private static void WithEveryVariant(DType[] types, int dimension, Action<DType> check)
    {
        GpuInfo info = TestDevice.Current.Info;
        foreach (DType type in types)
        {
            IEnumerable<string> names = AttentionOp.Names(info, type, dimension);
            // A CPU driver's compiler unrolls wide heads, the units for minutes: there one kernel of a 16-bit type is
            // enough, since the others differ from those of F32, which are all tested, in how an element is read.
            if (dimension > 64 && info.Type == GpuType.Cpu)
                names = names
                    .Where(name => !name.StartsWith("cooperative", StringComparison.Ordinal))
                    .Take(type == DType.F32 ? int.MaxValue : 1);
            foreach (string name in names)
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"{type} {name}");
                using Recordings.Scope forced = Recordings.With(Recordings.Forced with { Attention = name });
                check(type);
            }
        }
    }

    internal static double[] Oracle(double[] qkv, int batch, int tokens, int heads, int dimension)
    {
        int channels = heads * dimension;
        double[] y = new double[batch * tokens * channels];
        double[] score = new double[tokens];
        for (int b = 0; b < batch; b++)
        for (int h = 0; h < heads; h++)
        for (int i = 0; i < tokens; i++)
        {
            for (int j = 0; j < tokens; j++)
            {
                score[j] = 0;
                for (int d = 0; d < dimension; d++)
                    score[j] += qkv[At(b, i, 0, h, d)] * qkv[At(b, j, 1, h, d)];
                score[j] /= Math.Sqrt(dimension);
            }
            double largest = score.Max(),
                sum = score.Sum(s => Math.Exp(s - largest));
            for (int j = 0; j < tokens; j++)
            for (int d = 0; d < dimension; d++)
                y[(((b * tokens) + i) * channels) + (h * dimension) + d] +=
                    Math.Exp(score[j] - largest) / sum * qkv[At(b, j, 2, h, d)];
        }
        return y;

        int At(int b, int n, int part, int h, int d) =>
            (((((b * tokens) + n) * 3) + part) * channels) + (h * dimension) + d;
    }
}
