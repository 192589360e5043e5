using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Losses;

public class SoftTargetsOpTests
{
    [Theory]
    [InlineData(1, 1, 0.1f)]
    [InlineData(7, 37, 0f)]
    [InlineData(197, 10, 0.1f)]
    [InlineData(3, 1000, 0.1f)]
    [InlineData(3, 113, 1f)]
    public void Smooths_labels(int batch, int classes, float smoothing)
    {
        Random random = new(3);
        uint[] labels = [.. Enumerable.Range(0, batch).Select(_ => (uint)random.Next(classes))];
        using OpRun run = new();
        Tensor tensor = run.Put([batch], labels, DType.U32);
        float[] targets = OpRun.Run<float>(r => r.SoftTargets(tensor, classes, smoothing));
        double off = (double)smoothing / classes;
        Assert.Equal(
            [
                .. labels.SelectMany(label =>
                    Enumerable.Range(0, classes).Select(c => (float)(c == label ? 1 - (double)smoothing + off : off))
                ),
            ],
            targets
        );
    }

    [Fact]
    public void Refuses_labels_of_another_type_and_smoothing_out_of_range()
    {
        using OpRun run = new();
        Tensor floats = run.Empty([2]),
            labels = run.Empty([2], DType.U32);
        Assert.Contains(
            "expected labels of type U32",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.SoftTargets(floats, 3))).Message
        );
        Assert.Contains(
            "expected 0 to 1",
            Assert
                .Throws<ArgumentOutOfRangeException>(() => OpRun.Run(r => r.SoftTargets(labels, 3, float.NaN)))
                .Message
        );
    }
}
