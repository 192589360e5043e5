using Deit.Gpu;

namespace Deit.Tests.Gpu.Recording;

/// <summary>Products are computed in the arithmetic of the network that they belong to, forward and backward.</summary>
public class ArithmeticTests
{
    private const int Size = 64;

    // Two stacks of linear layers, one computed in F32 and one as three products of bfloat16, on a device that has units for those.
    [Fact]
    public void Two_networks_of_a_recording_keep_their_own_arithmetic()
    {
        using OpRun run = new();
        Tensor x = run.Empty([Size, Size]),
            seed = run.Empty([Size, Size]);
        Recorder r = UnitsRecorder.Create();
        Tensor plain = Stack(run, r, x, "plain", ProductArithmetic.F32),
            parts = Stack(run, r, x, "parts", ProductArithmetic.BF16x3);
        r.Tape.Backward([plain, parts], [seed, seed]);
        // Of each layer the output, then the gradients of both weights, and that of the second layer's input.
        Assert.Equal(["matmul.resident", "matmul.resident"], Forward("plain"));
        Assert.Equal(["matmul.resident", "matmul.resident", "matmul.resident"], Backward("plain"));
        Assert.Equal(["matmul.cooperative.bf16x3", "matmul.cooperative.bf16x3"], Forward("parts"));
        Assert.Equal(
            ["matmul.cooperative.bf16x3", "matmul.cooperative.bf16x3", "matmul.cooperative.bf16x3"],
            Backward("parts")
        );

        string[] Forward(string name) => [.. UnitsRecorder.Products(r, name).Take(2)];

        string[] Backward(string name) => [.. UnitsRecorder.Products(r, name).Skip(2)];
    }

    [Fact]
    public void A_scope_restores_the_arithmetic_around_it()
    {
        Recorder r = UnitsRecorder.Create();
        Assert.Equal(ProductArithmetic.F32, r.Products);
        using (r.Multiplying(ProductArithmetic.BF16x3))
        {
            using (r.Named("inside"))
            using (r.Multiplying(ProductArithmetic.F16x3))
                Assert.Equal(ProductArithmetic.F16x3, r.Products);
            Assert.Equal(ProductArithmetic.BF16x3, r.Products);
        }
        Assert.Equal(ProductArithmetic.F32, r.Products);
    }

    private static Tensor Stack(OpRun run, Recorder r, Tensor x, string name, ProductArithmetic products)
    {
        Tensor[] weights = [run.Empty([Size, Size]), run.Empty([Size, Size])];
        foreach (Tensor weight in weights)
            weight.Train(run.Empty([Size, Size]));
        using (r.Named(name))
        using (r.Multiplying(products))
            return r.Linear(r.Linear(x, weights[0], null), weights[1], null);
    }
}
