using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Normalization;

public class LayerNormOpTests
{
    // Statistics of C values in fp32 carry about sqrt(C) roundings of 6e-8.
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 7)]
    [InlineData(7, 37)]
    [InlineData(37, 113)]
    [InlineData(197, 192)]
    [InlineData(5, 1030)]
    [InlineData(7, 33)]
    [InlineData(67, 3072)]
    [InlineData(197, 768)]
    public void Matches_the_oracle(int rows, int columns) =>
        OpHarness.Check(
            [OpInput.Random([rows, columns], mean: 3), OpInput.Random([columns], 2), OpInput.Random([columns], 3)],
            (r, t) => r.LayerNorm(t[0], t[1], t[2]),
            x => Oracle(x[0], x[1], x[2], 1e-6),
            forward: 2e-6,
            gradient: 2e-5
        );

    // One rounding of the result, and of its gradient.
    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void With_a_result_of_16_bits(DType type) =>
        OpHarness.Check(
            [OpInput.Random([37, 113], mean: 3), OpInput.Random([113], 2), OpInput.Random([113], 3)],
            (r, t) => r.Cast(r.LayerNorm(t[0], t[1], t[2], output: type), DType.F32),
            x => Oracle(x[0], x[1], x[2], 1e-6),
            forward: ShortTypes.Roundoff(type),
            gradient: 2 * ShortTypes.Roundoff(type)
        );

    // One rounding of the result. The gradient of the result arrives rounded, and that of x leaves so.
    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void Of_a_stream_of_16_bits(DType type) =>
        OpHarness.Check(
            [OpInput.Random([37, 113], mean: 3).In(type), OpInput.Random([113], 2), OpInput.Random([113], 3)],
            (r, t) => r.Cast(r.LayerNorm(r.Cast(t[0], type), t[1], t[2], output: type), DType.F32),
            x => Oracle(x[0], x[1], x[2], 1e-6),
            forward: ShortTypes.Roundoff(type),
            gradient: 3 * ShortTypes.Roundoff(type)
        );

    // Two norms of one tensor: the second contribution is added to a gradient that was rounded already.
    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void Adds_to_a_gradient_of_16_bits(DType type) =>
        OpHarness.Check(
            [OpInput.Random([37, 113], mean: 3).In(type), OpInput.Random([113], 2), OpInput.Random([113], 3)],
            (r, t) =>
            {
                Tensor x = r.Cast(t[0], type);
                return
                [
                    r.Cast(r.LayerNorm(x, t[1], t[2], output: type), DType.F32),
                    r.Cast(r.LayerNorm(x, t[2], t[1], output: type), DType.F32),
                ];
            },
            x => [Oracle(x[0], x[1], x[2], 1e-6), Oracle(x[0], x[2], x[1], 1e-6)],
            forward: ShortTypes.Roundoff(type),
            gradient: 4 * ShortTypes.Roundoff(type)
        );

    internal static double[] Oracle(double[] x, double[] weight, double[] bias, double epsilon)
    {
        int columns = weight.Length;
        double[] y = new double[x.Length];
        for (int start = 0; start < x.Length; start += columns)
        {
            double mean = x.AsSpan(start, columns).ToArray().Average();
            double variance = x.AsSpan(start, columns).ToArray().Average(v => (v - mean) * (v - mean));
            for (int i = 0; i < columns; i++)
                y[start + i] = ((x[start + i] - mean) / Math.Sqrt(variance + epsilon) * weight[i]) + bias[i];
        }
        return y;
    }
}
