using System.Globalization;
using Deit.Gpu;
using Deit.Tests.Gpu;

namespace Deit.Tests.Golden;

/// <summary>Each op against PyTorch's numbers, which were computed in double precision: outputs to 1e-5, gradients to 1e-4.</summary>
[Trait("Category", "Golden")]
public class OpsGoldenTests
{
    private const double Forward = 1e-5,
        Backward = 1e-4;

    // Numbers that the reference fixes and no file states: the head dimension of every DeiT, and its epsilon of layer
    // normalisation.
    private const int HeadDimension = 64;
    private const float Epsilon = 1e-6f;

    [Fact]
    public void Gelu() => Check("gelu", (r, x) => r.Gelu(x("x")));

    [Fact]
    public void Softmax() => Check("softmax", (r, x) => r.Softmax(x("x")));

    [Fact]
    public void LayerNorm() => Check("layer_norm", (r, x) => r.LayerNorm(x("x"), x("weight"), x("bias"), Epsilon));

    [Fact]
    public void Linear() => Check("linear", (r, x) => r.Linear(x("x"), x("weight"), x("bias")));

    [Theory]
    [InlineData("attention_h2")]
    [InlineData("attention_n197")]
    public void Attention(string file) =>
        Check(file, (r, x) => r.Attention(x("qkv"), x("qkv").Shape[2] / (3 * HeadDimension)));

    [Fact]
    public void PatchEmbed() =>
        Check(
            "patch_embed",
            (r, x) =>
            {
                Tensor weight = x("weight"),
                    images = x("x");
                int features = weight.Shape[0],
                    patch = weight.Shape[3],
                    count = images.Shape[2] / patch * (images.Shape[3] / patch);
                Tensor y = r.Linear(
                    r.Unfold(images, patch),
                    weight.View([features, (int)(weight.Elements / features)]),
                    x("bias")
                );
                return y.View([images.Shape[0], count, features]);
            }
        );

    [Fact]
    public void CrossEntropyWithSoftTargets()
    {
        using GoldenTensors file = new("ops/cross_entropy_soft.targets.safetensors");
        using OpRun run = new();
        Tensor targets = run.Put(file.Shape("targets"), file.Floats("targets"));
        Check("cross_entropy_soft", (r, x) => r.CrossEntropy(x("x"), targets));
    }

    [Fact]
    public void CrossEntropyWithSmoothedLabels()
    {
        using GoldenTensors file = new("ops/cross_entropy_smooth.targets.safetensors");
        uint[] labels = Array.ConvertAll(file.Integers("labels"), label => checked((uint)label));
        float smoothing = Smoothing(labels);
        using OpRun run = new();
        Tensor tensor = run.Put([labels.Length], labels, DType.U32);
        Check(
            "cross_entropy_smooth",
            (r, x) => r.CrossEntropy(x("x"), r.SoftTargets(tensor, x("x").Shape[1], smoothing))
        );
    }

    // The files do not state the smoothing, but one element of the gradient dloss / B * (softmax - target) gives it away: all others,
    // and the loss, test the op. The gradient is checked apart from it by the finite differences of CrossEntropyOpTests.
    private static float Smoothing(uint[] labels)
    {
        using GoldenTensors golden = new("ops/cross_entropy_smooth.safetensors");
        if (golden.Metadata.TryGetValue("smoothing", out string? stated))
            return float.Parse(stated, CultureInfo.InvariantCulture);
        int classes = golden.Shape("in.x")[1],
            other = labels[0] == 0 ? 1 : 0;
        double[] logits = [.. golden.Floats("in.x").Take(classes).Select(v => (double)v)];
        double softmax = Math.Exp(logits[other]) / logits.Sum(Math.Exp);
        double target = softmax - (golden.Floats("grad.x")[other] * (double)labels.Length / golden.Floats("dout.0")[0]);
        // Single precision blurs the sixth digit; a smoothing that people choose has at most three.
        return (float)Math.Round(target * classes, 3);
    }

    internal static void Check(string name, Func<Recorder, Func<string, Tensor>, Tensor> op)
    {
        using GoldenTensors golden = new($"ops/{name}.safetensors");
        using OpRun run = new();
        Dictionary<string, Tensor> inputs = [];
        foreach (
            string input in golden.Names.Where(n => n.StartsWith("in.", StringComparison.Ordinal)).Select(n => n[3..])
        )
        {
            inputs[input] = run.Put(golden.Shape($"in.{input}"), golden.Floats($"in.{input}"));
            if (golden.Names.Contains($"grad.{input}"))
                inputs[input].Train(run.Empty(golden.Shape($"in.{input}")));
        }
        Tensor seed = run.Put(golden.Shape("dout.0"), golden.Floats("dout.0"));
        float[] output = OpRun.Run<float>(r =>
        {
            Tensor y = op(r, input => inputs[input]);
            Assert.Equal(golden.Shape("out.0"), y.Shape);
            r.Tape.Backward(y, seed);
            return y;
        });
        AssertClose(golden.Floats("out.0"), output, Forward, $"{name}: output");
        Assert.Contains(inputs.Values, input => input.Gradient is not null);
        foreach ((string input, Tensor tensor) in inputs)
            if (tensor.Gradient is { } gradient)
                AssertClose(
                    golden.Floats($"grad.{input}"),
                    OpRun.Device.Read<float>(gradient),
                    Backward,
                    $"{name}: gradient of {input}"
                );
    }

    internal static void AssertClose(float[] expected, float[] actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = OpHarness.RelativeError(Array.ConvertAll(expected, v => (double)v), actual);
        Assert.True(error <= tolerance, $"{what}: relative error {error:e2}, at most {tolerance:e2}");
    }
}
