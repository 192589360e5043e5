using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Convolution;

public class PatchEmbedOpTests
{
    // Values only move, so that every one is exact; gradients add up at most two.
    [Theory]
    [InlineData(1, 1, 1, 1, 1)]
    [InlineData(1, 3, 7, 7, 7)]
    [InlineData(2, 3, 32, 24, 8)]
    [InlineData(3, 2, 5, 35, 5)]
    [InlineData(1, 3, 74, 37, 37)]
    public void Unfolds(int batch, int channels, int height, int width, int patch) =>
        OpHarness.Check(
            [OpInput.Random([batch, channels, height, width])],
            (r, t) => r.Unfold(t[0], patch),
            x => Oracle(x[0], batch, channels, height, width, patch),
            forward: 0,
            gradient: 1e-6
        );

    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void Unfolds_into_16_bits(DType type) =>
        OpHarness.Check(
            [OpInput.Random([2, 3, 10, 15], differentiable: false)],
            (r, t) => r.Cast(r.Unfold(t[0], 5, type), DType.F32),
            x => Oracle(Array.ConvertAll(x[0], v => (double)ShortTypes.Round((float)v, type)), 2, 3, 10, 15, 5),
            forward: 0,
            gradient: 0
        );

    [Fact]
    public void Adds_to_a_gradient_that_is_there() =>
        OpHarness.Check(
            [OpInput.Random([2, 3, 10, 15])],
            (r, t) => r.Add(r.Unfold(t[0], 5), r.Unfold(t[0], 5)),
            x => Array.ConvertAll(Oracle(x[0], 2, 3, 10, 15, 5), v => 2 * v),
            forward: 0,
            gradient: 1e-6
        );

    [Fact]
    public void Refuses_sizes_that_are_no_multiple_of_the_patch()
    {
        using OpRun run = new();
        Tensor images = run.Empty([1, 3, 16, 17]);
        Assert.Contains(
            "multiples of 16",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.Unfold(images, 16))).Message
        );
    }

    private static double[] Oracle(double[] images, int batch, int channels, int height, int width, int patch)
    {
        List<double> patches = [];
        for (int b = 0; b < batch; b++)
        for (int top = 0; top < height; top += patch)
        for (int left = 0; left < width; left += patch)
        for (int c = 0; c < channels; c++)
        for (int y = 0; y < patch; y++)
        for (int x = 0; x < patch; x++)
            patches.Add(images[(((((b * channels) + c) * height) + top + y) * width) + left + x]);
        return [.. patches];
    }
}
