using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops;

public class AttentionOpTests
{
    // Scores of D products, weights from exp, sums of N weights: some ten roundings of 6e-8 each way, more in the gradients.
    [Theory]
    [InlineData(1, 1, 1, 4)]
    [InlineData(2, 7, 3, 16)]
    [InlineData(1, 37, 2, 64)]
    [InlineData(3, 13, 1, 33)]
    [InlineData(1, 113, 1, 32)]
    public void Matches_the_oracle(int batch, int tokens, int heads, int dimension) => OpHarness.Check(
        [OpInput.Random([batch, tokens, 3 * heads * dimension])],
        (r, t) => r.Attention(t[0], heads),
        x => Oracle(x[0], batch, tokens, heads, dimension),
        forward: 2e-6,
        gradient: 2e-5);

    // The second gradient of qkv is added to the first.
    [Theory]
    [InlineData(1, 13, 2, 16)]
    [InlineData(1, 13, 1, 33)]
    public void Gradients_add_up(int batch, int tokens, int heads, int dimension) => OpHarness.Check(
        [OpInput.Random([batch, tokens, 3 * heads * dimension])],
        (r, t) => r.Add(r.Attention(t[0], heads), r.Attention(t[0], heads)),
        x => [.. Oracle(x[0], batch, tokens, heads, dimension).Select(y => 2 * y)],
        forward: 2e-6,
        gradient: 2e-5);

    [Fact]
    public void Large_scores_do_not_overflow() => OpHarness.Check(
        [OpInput.Random([1, 9, 3 * 16], scale: 20, differentiable: false)],
        (r, t) => r.Attention(t[0], 1),
        x => Oracle(x[0], 1, 9, 1, 16),
        forward: 1e-4, // scores near 1000 carry an absolute error of 6e-5 into exp
        gradient: 0);

    // One rounding of the result; in the gradients those of the result, of its gradient and of their own.
    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void Of_16_bits(DType type) => OpHarness.Check(
        [OpInput.Random([2, 13, 3 * 2 * 16]).In(type)],
        (r, t) => r.Cast(r.Attention(r.Cast(t[0], type), 2), DType.F32),
        x => Oracle(x[0], 2, 13, 2, 16),
        forward: ShortTypes.Roundoff(type),
        gradient: 4 * ShortTypes.Roundoff(type));

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
                    double largest = score.Max(), sum = score.Sum(s => Math.Exp(s - largest));
                    for (int j = 0; j < tokens; j++)
                        for (int d = 0; d < dimension; d++)
                            y[(((b * tokens) + i) * channels) + (h * dimension) + d] += Math.Exp(score[j] - largest) / sum * qkv[At(b, j, 2, h, d)];
                }
        return y;

        int At(int b, int n, int part, int h, int d) => (((((b * tokens) + n) * 3) + part) * channels) + (h * dimension) + d;
    }
}
