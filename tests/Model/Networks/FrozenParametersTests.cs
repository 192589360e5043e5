using Deit.Gpu;
using Deit.Model;
using Deit.Tests.Gpu;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Model.Networks;

public sealed class FrozenParametersTests
{
    [Theory]
    [InlineData("fp32")]
    [InlineData("fp16")]
    [InlineData("bf16-residual")]
    public void Rounding_a_weight_once_changes_no_bit_and_spares_each_run_the_rounding(string name)
    {
        GpuDevice device = TestDevice.Current;
        Precision precision = Precision.Parse(name);
        long before = device.AllocatedBytes;
        using (INetwork network = TinyRun.Config.Create(device))
        {
            network.Parameters.Initialize(3);
            float[] images = [.. Enumerable.Range(0, 3 * TinyRun.Config.InputSize.Pixels).Select(i => MathF.Sin(i))];
            using Inference rounding = new(device, network, 1, precision: precision);
            float[] expected = rounding.Run(images, 1).Class;
            network.Parameters.Freeze();
            using Inference frozen = new(device, network, 1, precision: precision),
                another = new(device, network, 1, precision: precision);
            Assert.Equal(expected, frozen.Run(images, 1).Class);
            Assert.Equal(expected, another.Run(images, 1).Class);

            // qkv, proj, fc1 and fc2 of each block and the patch embedding; the second recording made no copies of its own.
            int weights = precision.Activations == DType.F32 ? 0 : (4 * TinyRun.Config.Depth) + 1;
            Assert.Equal(weights, rounding.Graph.Dispatches.Count - frozen.Graph.Dispatches.Count);
            long rounded = network
                .Parameters.Specs.Where(spec =>
                    spec.Shape.Rank > 1
                    && (
                        spec.Name.StartsWith("blocks", StringComparison.Ordinal)
                        || spec.Name.StartsWith("patch", StringComparison.Ordinal)
                    )
                )
                .Sum(spec => spec.Shape.Elements * sizeof(short));
            Assert.InRange(
                network.Parameters.Fixed!.ByteLength,
                weights == 0 ? 0 : rounded,
                weights == 0 ? 0 : rounded + (weights * 256)
            ); // alignment
        }
        Assert.Equal(before, device.AllocatedBytes);
    }

    [Fact]
    public void Frozen_parameters_are_not_trained_nor_trained_ones_frozen()
    {
        using INetwork frozen = TinyRun.Config.Create(TestDevice.Current),
            trained = TinyRun.Config.Create(TestDevice.Current);
        frozen.Parameters.Freeze();
        Assert.Contains("frozen", Assert.Throws<InvalidOperationException>(() => frozen.Parameters.Train()).Message);
        trained.Parameters.Train();
        Assert.Contains("being trained", Assert.Throws<InvalidOperationException>(trained.Parameters.Freeze).Message);
    }
}
