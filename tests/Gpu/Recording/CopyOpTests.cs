using Deit.Gpu;

namespace Deit.Tests.Gpu.Recording;

public class CopyOpTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(64 * 37)]
    [InlineData(1025)]
    [InlineData(64 * 1093)]
    [InlineData(70_001)]
    public void Copies(int count) =>
        OpHarness.Check(
            [OpInput.Random([count], differentiable: false)],
            (r, t) =>
            {
                Tensor y = r.Empty([count]);
                r.Copy(t[0], y);
                return y;
            },
            x => x[0],
            forward: 0,
            gradient: 0
        );

    [Fact]
    public void Refuses_another_type_and_half_words()
    {
        using OpRun run = new();
        Tensor floats = run.Empty([3]),
            labels = run.Empty([3], DType.U32),
            halves = run.Empty([3], DType.F16);
        Assert.Contains(
            "same type and length",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.Copy(floats, labels))).Message
        );
        Assert.Contains(
            "multiple of 4 bytes",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.Copy(halves, halves))).Message
        );
    }
}
