using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Elementwise;

public class FillOpTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1025)]
    [InlineData(70_001)]
    public void Fills(int count) =>
        OpHarness.Check(
            [],
            (r, _) => r.Full([count], -1.5f),
            _ => [.. Enumerable.Repeat(-1.5, count)],
            forward: 0,
            gradient: 0
        );
}
