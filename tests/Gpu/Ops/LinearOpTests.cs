using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops;

public class LinearOpTests
{
    // A sum of K products carries about sqrt(K) roundings of 6e-8.
    private const double Tolerance = 2e-6;

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 37, 113)]
    [InlineData(197, 13, 7)]
    public void Without_bias(int rows, int inputs, int outputs) => OpHarness.Check(
        [OpInput.Random([rows, inputs]), OpInput.Random([outputs, inputs], 2)],
        (r, t) => r.Linear(t[0], t[1], null),
        x => MatMulOpTests.Oracle(x[0], x[1], rows, outputs, inputs, false, true),
        Tolerance,
        gradient: 1e-5);

    [Fact]
    public void Leading_dimensions_are_rows() => OpHarness.Check(
        [OpInput.Random([3, 5, 37]), OpInput.Random([11, 37], 2), OpInput.Random([11], 3)],
        (r, t) =>
        {
            Tensor y = r.Linear(t[0], t[1], t[2]);
            Assert.Equal([3, 5, 11], y.Shape);
            return y;
        },
        x => [.. MatMulOpTests.Oracle(x[0], x[1], 15, 11, 37, false, true).Select((y, i) => y + x[2][i % 11])],
        Tolerance,
        gradient: 1e-5);

    // A teacher's layers are frozen; one layer may be used twice.
    [Fact]
    public void Adds_to_gradients_that_are_there() => OpHarness.Check(
        [OpInput.Random([7, 13]), OpInput.Random([13, 13], 2), OpInput.Random([13], 3)],
        (r, t) => r.Linear(r.Linear(t[0], t[1], t[2]), t[1], t[2]),
        x =>
        {
            double[] y = Layer(x[0]);
            return Layer(y);

            double[] Layer(double[] input) => [.. MatMulOpTests.Oracle(input, x[1], 7, 13, 13, false, true).Select((v, i) => v + x[2][i % 13])];
        },
        Tolerance,
        gradient: 1e-5);

    // The weight is rounded for the products; the gradients of x and y are rounded, those of weight and bias are F32 sums of them.
    [Theory]
    [InlineData(DType.F16, DType.F16)]
    [InlineData(DType.F16, DType.F32)]
    [InlineData(DType.BF16, DType.BF16)]
    [InlineData(DType.BF16, DType.F32)]
    public void Of_16_bits(DType type, DType output) => OpHarness.Check(
        [OpInput.Random([40, 48]).In(type), OpInput.Random([24, 48], 2).In(type), OpInput.Random([24], 3)],
        (r, t) => r.Cast(r.Linear(r.Cast(t[0], type), t[1], t[2], output), DType.F32),
        x => [.. MatMulOpTests.Oracle(x[0], x[1], 40, 24, 48, false, true).Select((y, i) => y + x[2][i % 24])],
        forward: output == DType.F32 ? 2e-6 : ShortTypes.Roundoff(type),
        gradient: 3 * ShortTypes.Roundoff(type));
}
