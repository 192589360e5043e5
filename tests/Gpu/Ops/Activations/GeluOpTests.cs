using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Activations;

public class GeluOpTests
{
    // The fit, a division, an exponential and a handful of roundings: 5e-7 of each value.
    private const double Tolerance = 1e-6;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1025)]
    [InlineData(37 * 113)]
    public void Matches_the_oracle(int count) =>
        OpHarness.Check(
            [OpInput.Random([count], scale: 2)],
            (r, t) => r.Gelu(t[0]),
            x => Array.ConvertAll(x[0], Oracle),
            Tolerance,
            gradient: 2e-6
        );

    // One rounding of the result; of the gradient those of the result, of its gradient and of its own.
    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void Of_16_bits(DType type) =>
        OpHarness.Check(
            [OpInput.Random([1025], scale: 2).In(type)],
            (r, t) => r.Cast(r.Gelu(r.Cast(t[0], type)), DType.F32),
            x => Array.ConvertAll(x[0], Oracle),
            forward: ShortTypes.Roundoff(type),
            gradient: 3 * ShortTypes.Roundoff(type)
        );

    [Fact]
    public void Adds_to_a_gradient_that_is_there() =>
        OpHarness.Check(
            [OpInput.Random([197])],
            (r, t) =>
            {
                Tensor y = r.Gelu(t[0]);
                return r.Add(r.Gelu(y), r.Gelu(y));
            },
            x => Array.ConvertAll(x[0], v => 2 * Oracle(Oracle(v))),
            3 * Tolerance,
            gradient: 5e-6
        );

    [Fact]
    public void Is_accurate_in_every_single_value_of_both_tails()
    {
        float[] x =
        [
            .. Enumerable.Range(-14_000, 28_001).Select(i => i * 1.0013e-3f),
            .. Enumerable.Range(0, 120).Select(i => (i % 2 == 0 ? 1f : -1f) * MathF.ScaleB(1.37f, -i)),
        ];
        using OpRun run = new();
        Tensor input = run.Put([x.Length], x),
            gradient = run.Empty([x.Length]),
            output = run.Empty([x.Length]);
        Tensor ones = run.Put([x.Length], Enumerable.Repeat(1f, x.Length).ToArray());
        input.Train(gradient);
        OpRun.Run(r =>
        {
            Tensor y = r.Gelu(input);
            r.Copy(y, output);
            r.Tape.Backward(y, ones);
        });
        float[] y = OpRun.Device.Read<float>(output),
            dx = OpRun.Device.Read<float>(gradient);
        for (int i = 0; i < x.Length; i++)
        {
            double exact = Oracle(x[i]),
                derivative = Derivative(x[i]);
            // Subnormal results may be flushed to zero.
            Assert.True(
                Math.Abs(y[i] - exact) <= (Tolerance * Math.Abs(exact)) + 1.2e-38,
                $"gelu({x[i]:r}) = {y[i]:r}, expected {exact:r}"
            );
            // The derivative passes zero at -0.75, so that only its absolute error is bounded there: 1e-7 of terms below 0.3.
            // Below -13.2 it is cut off, where it is under 1e-37.
            double slack =
                x[i] is > -2 and < 0 ? 2e-7
                : x[i] < -13.2 ? 1e-37
                : 1.2e-38;
            Assert.True(
                Math.Abs(dx[i] - derivative) <= (Tolerance * Math.Abs(derivative)) + slack,
                $"gelu'({x[i]:r}) = {dx[i]:r}, expected {derivative:r}"
            );
        }
    }

    [Fact]
    public void Keeps_infinity_and_nan()
    {
        using OpRun run = new();
        Tensor x = run.Put<float>([6], [float.PositiveInfinity, float.NegativeInfinity, float.NaN, 0f, -1e30f, 1e30f]);
        float[] y = OpRun.Run<float>(r => r.Gelu(x));
        Assert.Equal([float.PositiveInfinity, 0f, float.NaN, 0f, 0f, 1e30f], y);
    }

    internal static double Oracle(double x) => x * NormalDistribution.Cumulative(x);

    internal static double Derivative(double x) =>
        NormalDistribution.Cumulative(x) + (x * NormalDistribution.Density(x));
}
