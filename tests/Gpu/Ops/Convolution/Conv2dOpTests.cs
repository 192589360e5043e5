using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Convolution;

public class Conv2dOpTests
{
    // A sum of n products carries about sqrt(n) roundings of 6e-8; the weight's gradient sums over all output pixels.
    [Theory]
    [InlineData(1, 1, 1, 1, 1, 1, 1, 0, 1)]
    [InlineData(5, 3, 7, 2, 3, 1, 1, 0, 1)]
    [InlineData(5, 4, 7, 2, 3, 1, 2, 0, 1)]
    [InlineData(6, 4, 7, 5, 2, 1, 1, 0, 2)]
    [InlineData(3, 7, 9, 8, 2, 3, 2, 1, 1)]
    [InlineData(6, 9, 7, 5, 2, 3, 1, 1, 3)]
    [InlineData(8, 8, 11, 6, 3, 3, 2, 1, 4)]
    [InlineData(3, 3, 8, 8, 1, 3, 3, 0, 3)]
    [InlineData(2, 2, 6, 7, 1, 5, 2, 4, 1)]
    [InlineData(2, 1, 4, 4, 2, 2, 3, 1, 1)]
    public void Matches_the_oracle(
        int channels,
        int outputs,
        int height,
        int width,
        int batch,
        int kernel,
        int stride,
        int padding,
        int groups
    ) =>
        OpHarness.Check(
            [
                OpInput.Random([channels, batch, height, width]),
                OpInput.Random([outputs, channels / groups, kernel, kernel], 2),
            ],
            (r, t) => r.Conv2d(t[0], t[1], stride, padding, groups),
            x => Oracle(x[0], x[1], channels, outputs, height, width, batch, kernel, stride, padding, groups),
            forward: 2e-6,
            gradient: 2e-5
        );

    // Eight outputs of eight inputs with 3 x 3 taps and 2 * 6 * 8 pixels start where a binding may, a group at a time.
    [Theory]
    [InlineData(1)]
    [InlineData(2 * 72 * 96)]
    public void Groups_in_turn_give_the_same(int budget)
    {
        using Recordings.Scope forced = Recordings.With(Recordings.Forced with { UnfoldedElements = budget });
        OpHarness.Check(
            [OpInput.Random([40, 2, 6, 8]), OpInput.Random([40, 8, 3, 3], 2)],
            (r, t) => r.Add(r.Conv2d(t[0], t[1], 1, 1, 5), r.Conv2d(t[0], t[1], 1, 1, 5)),
            x => Array.ConvertAll(Oracle(x[0], x[1], 40, 40, 6, 8, 2, 3, 1, 1, 5), v => 2 * v),
            forward: 2e-6,
            gradient: 2e-5
        );
    }

    [Fact]
    public void Refuses_channels_that_are_no_multiple_of_the_groups()
    {
        using OpRun run = new();
        Tensor x = run.Empty([7, 1, 5, 5]),
            weight = run.Empty([8, 3, 3, 3]);
        Assert.Contains(
            "multiples of groups",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.Conv2d(x, weight, 1, 1, 2))).Message
        );
    }

    [Fact]
    public void Refuses_a_kernel_larger_than_the_input()
    {
        using OpRun run = new();
        Tensor x = run.Empty([3, 1, 2, 5]),
            weight = run.Empty([8, 3, 3, 3]);
        Assert.Contains(
            "larger than the padded input",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.Conv2d(x, weight))).Message
        );
    }

    private static double[] Oracle(
        double[] x,
        double[] weight,
        int channels,
        int outputs,
        int height,
        int width,
        int batch,
        int kernel,
        int stride,
        int padding,
        int groups
    )
    {
        int inputs = channels / groups,
            outHeight = ((height + (2 * padding) - kernel) / stride) + 1,
            outWidth = ((width + (2 * padding) - kernel) / stride) + 1;
        List<double> y = [];
        for (int o = 0; o < outputs; o++)
        for (int b = 0; b < batch; b++)
        for (int oy = 0; oy < outHeight; oy++)
        for (int ox = 0; ox < outWidth; ox++)
        {
            double sum = 0;
            for (int c = 0; c < inputs; c++)
            for (int ky = 0; ky < kernel; ky++)
            for (int kx = 0; kx < kernel; kx++)
            {
                int iy = (oy * stride) + ky - padding,
                    ix = (ox * stride) + kx - padding;
                if (iy >= 0 && iy < height && ix >= 0 && ix < width)
                    sum +=
                        weight[(((((o * inputs) + c) * kernel) + ky) * kernel) + kx]
                        * x[(((((((o / (outputs / groups)) * inputs) + c) * batch) + b) * height) + iy) * width + ix];
            }
            y.Add(sum);
        }
        return [.. y];
    }
}
