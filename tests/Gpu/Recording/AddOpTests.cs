using Deit.Gpu;

namespace Deit.Tests.Gpu.Recording;

public class AddOpTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1025)]
    [InlineData(70_001)]
    public void Adds(int count) =>
        OpHarness.Check(
            [OpInput.Random([count]), OpInput.Random([count], 2)],
            (r, t) => r.Add(t[0], t[1]),
            x => [.. x[0].Zip(x[1], (a, b) => a + b)],
            forward: 6e-8, // one rounding
            gradient: 1e-7
        );

    [Fact]
    public void Two_uses_of_one_tensor_add_their_gradients() =>
        OpHarness.Check(
            [OpInput.Random([37])],
            (r, t) =>
            {
                Tensor twice = r.Add(t[0], t[0]);
                return r.Add(twice, r.Add(twice, t[0]));
            },
            x => [.. x[0].Select(v => 5 * v)],
            forward: 2e-7, // three roundings
            gradient: 1e-6
        );
}
