using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Activations;

public class ReluOpTests
{
    // A value moves or is zero: exact.
    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    [InlineData(1031)]
    public void Matches_the_oracle(int count) =>
        OpHarness.Check(
            [OpInput.Random([count], scale: 3)],
            (r, t) => r.Relu(t[0]),
            x => Array.ConvertAll(x[0], v => Math.Max(v, 0)),
            forward: 0,
            gradient: 1e-5
        );

    // One rounding of the result; of the gradient those of the result, of its gradient and of its own.
    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void Of_16_bits(DType type) =>
        OpHarness.Check(
            [OpInput.Random([1025], scale: 2).In(type)],
            (r, t) => r.Cast(r.Relu(r.Cast(t[0], type)), DType.F32),
            x => Array.ConvertAll(x[0], v => Math.Max(v, 0)),
            forward: ShortTypes.Roundoff(type),
            gradient: 3 * ShortTypes.Roundoff(type)
        );

    [Fact]
    public void Adds_to_a_gradient_that_is_there() =>
        OpHarness.Check(
            [OpInput.Random([7, 37])],
            (r, t) => r.Add(r.Relu(t[0]), r.Relu(t[0])),
            x => Array.ConvertAll(x[0], v => 2 * Math.Max(v, 0)),
            forward: 0,
            gradient: 1e-6
        );
}
