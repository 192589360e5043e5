using Deit.Gpu;
using Deit.Tests.Gpu;

namespace Deit.Tests.Golden;

/// <summary>Linear, patch embedding and attention against the reference in double precision.</summary>
[Trait("Category", "Golden")]
public class ProductGoldenTests
{
    [Fact]
    public void Linear() => Check("ops/linear.safetensors", ["x", "weight", "bias"], (r, t) => r.Linear(t[0], t[1], t[2]));

    [Fact]
    public void Patch_embedding() => Check("ops/patch_embed.safetensors", ["x", "weight", "bias"], (r, t) =>
    {
        Shape weight = t[1].Shape;
        Tensor patches = r.Unfold(t[0], weight[3]);
        return r.Linear(patches, t[1].View([weight[0], patches.Shape.Columns]), t[2]);
    });

    // The metadata names no head dimension: the reference's models all have 64.
    [Theory]
    [InlineData("ops/attention_h2.safetensors")]
    [InlineData("ops/attention_n197.safetensors")]
    public void Attention(string file) => Check(file, ["qkv"], (r, t) => r.Attention(t[0], t[0].Shape[2] / 3 / 64));

    private static void Check(string relative, string[] inputs, Func<Recorder, Tensor[], Tensor> op)
    {
        using GoldenFile file = new(relative);
        GpuDevice device = TestDevice.Current;
        using Arena arena = device.CreateArena("golden", inputs.Sum(name => 2 * Arena.SizeOf(DType.F32, file.Shape($"in.{name}"))) + Arena.SizeOf(DType.F32, file.Shape("out.0")));
        Tensor[] tensors = [.. inputs.Select(name =>
        {
            Tensor tensor = arena.Allocate(file.Shape($"in.{name}"));
            device.Write<float>(tensor, file.Floats($"in.{name}"));
            tensor.Train(arena.Allocate(tensor.Shape));
            return tensor;
        })];
        Tensor seed = arena.Allocate(file.Shape("out.0"));
        device.Write<float>(seed, file.Floats("dout.0"));
        Tensor output = null!;
        using Graph graph = device.Record(r =>
        {
            output = r.Keep(op(r, tensors));
            r.Tape.Backward(output, seed.View(output.Shape));
        });
        graph.Run();
        AssertClose(file.Doubles("out.0"), device.Read<float>(output), 1e-5, "output");
        for (int i = 0; i < inputs.Length; i++)
            AssertClose(file.Doubles($"grad.{inputs[i]}"), device.Read<float>(tensors[i].Gradient!), 1e-4, $"gradient of {inputs[i]}");
    }

    private static void AssertClose(double[] expected, float[] actual, double tolerance, string what)
    {
        double error = OpHarness.RelativeError(expected, actual);
        Assert.True(error <= tolerance, $"{what}: relative error {error:e2}, at most {tolerance:e2}");
    }
}
