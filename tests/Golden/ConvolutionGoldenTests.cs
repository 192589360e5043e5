using Deit.Gpu;
using Deit.Tests.Gpu;

namespace Deit.Tests.Golden;

/// <summary>The ops of convolutional networks against PyTorch's numbers, which are [B, C, H, W]: SwapLeading goes there and back.</summary>
[Trait("Category", "Golden")]
public class ConvolutionGoldenTests
{
    // The names state kernel (k), stride (s) and groups (g); the reference pads by k / 2. The shapes must agree.
    [Theory]
    [InlineData("conv2d_k1", 1)]
    [InlineData("conv2d_k3s2_stem", 2)]
    [InlineData("conv2d_k3s2g4", 2)]
    public void Conv2d(string file, int stride) =>
        OpsGoldenTests.Check(
            file,
            (r, x) =>
            {
                Tensor weight = x("weight"),
                    images = x("x");
                return r.SwapLeading(
                    r.Conv2d(
                        r.SwapLeading(images),
                        weight,
                        stride,
                        weight.Shape[3] / 2,
                        images.Shape[1] / weight.Shape[1]
                    )
                );
            }
        );

    [Theory]
    [InlineData("batch_norm_train", true)]
    [InlineData("batch_norm_eval", false)]
    public void BatchNorm(string name, bool training)
    {
        using GoldenTensors file = new($"ops/{name}.stats.safetensors");
        using OpRun run = new();
        Tensor mean = run.Put(file.Shape("before.mean"), file.Floats("before.mean")),
            variance = run.Put(file.Shape("before.var"), file.Floats("before.var"));
        OpsGoldenTests.Check(
            name,
            (r, x) =>
                r.SwapLeading(r.BatchNorm(r.SwapLeading(x("x")), x("weight"), x("bias"), mean, variance, training))
        );
        OpsGoldenTests.AssertClose(file.Floats("after.mean"), OpRun.Device.Read<float>(mean), 1e-5, "running mean");
        OpsGoldenTests.AssertClose(
            file.Floats("after.var"),
            OpRun.Device.Read<float>(variance),
            1e-5,
            "running variance"
        );
    }

    [Fact]
    public void SqueezeExcite() =>
        OpsGoldenTests.Check(
            "squeeze_excite",
            (r, x) =>
            {
                Tensor planes = r.SwapLeading(x("x")),
                    w1 = x("w1"),
                    w2 = x("w2");
                Tensor hidden = r.Relu(
                    r.Linear(r.GlobalAveragePool(planes), w1.View([w1.Shape[0], w1.Shape[1]]), x("b1"))
                );
                Tensor scale = r.Sigmoid(r.Linear(hidden, w2.View([w2.Shape[0], w2.Shape[1]]), x("b2")));
                return r.SwapLeading(r.ChannelScale(planes, scale));
            }
        );
}
