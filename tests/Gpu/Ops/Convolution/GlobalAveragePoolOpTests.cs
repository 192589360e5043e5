using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Convolution;

public class GlobalAveragePoolOpTests
{
    // A mean of n values carries about sqrt(n) roundings of 6e-8.
    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(7, 2, 7, 7)]
    [InlineData(3, 5, 1, 37)]
    [InlineData(2, 3, 113, 3)]
    // Sums of up to 226 terms near 1: some twenty roundings of 6e-8.
    public void Matches_the_oracle(int channels, int batch, int height, int width) =>
        OpHarness.Check(
            [OpInput.Random([channels, batch, height, width], mean: 1)],
            (r, t) => r.Add(r.GlobalAveragePool(t[0]), r.GlobalAveragePool(t[0])),
            x =>
                [
                    .. from b in Enumerable.Range(0, batch)
                    from c in Enumerable.Range(0, channels)
                    select 2 * x[0].Skip(((c * batch) + b) * height * width).Take(height * width).Average(),
                ],
            forward: 2e-6,
            gradient: 2e-6
        );
}
