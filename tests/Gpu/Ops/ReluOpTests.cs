using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops;

public class ReluOpTests
{
    // A value moves or is zero: exact.
    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    [InlineData(1031)]
    public void Matches_the_oracle(int count) => OpHarness.Check(
        [OpInput.Random([count], scale: 3)],
        (r, t) => r.Relu(t[0]),
        x => Array.ConvertAll(x[0], v => Math.Max(v, 0)),
        forward: 0,
        gradient: 1e-5);

    [Fact]
    public void Adds_to_a_gradient_that_is_there() => OpHarness.Check(
        [OpInput.Random([7, 37])],
        (r, t) => r.Add(r.Relu(t[0]), r.Relu(t[0])),
        x => Array.ConvertAll(x[0], v => 2 * Math.Max(v, 0)),
        forward: 0,
        gradient: 1e-6);
}
