using Deit.Gpu;

namespace Deit.Tests.Gpu.Recording;

/// <summary>Copies of weights that do not change.</summary>
public class FixedWeightsTests
{
    private const int Rows = 50,
        Inputs = 64,
        Outputs = 44;

    // The kernel that reads panels exists on CPU drivers with addresses alone; elsewhere both recordings run the same.
    [Fact]
    public void A_weight_is_laid_out_once_and_changes_no_bit()
    {
        GpuDevice device = TestDevice.Current;
        using Arena weights = device.CreateArena("weights", Arena.SizeOf(DType.F32, [Outputs, Inputs], [Outputs]));
        using Arena inputs = device.CreateArena("inputs", Arena.SizeOf(DType.F32, [Rows, Inputs]));
        Tensor weight = Noise(device, weights.Allocate([Outputs, Inputs])),
            bias = Noise(device, weights.Allocate([Outputs])),
            x = Noise(device, inputs.Allocate([Rows, Inputs]));
        using FixedWeights copies = device.CreateFixedWeights(weight);
        Assert.True(copies.Hold(weight));
        Assert.True(copies.Hold(bias));
        Assert.False(copies.Hold(x));

        (float[] expected, int dispatches) = Run(null);
        Assert.Equal(0, copies.ByteLength);
        bool hasPanels = dispatches > 1;
        Assert.Equal(device.Info is { Type: GpuType.Cpu, BufferAddresses: true }, hasPanels);
        for (int recording = 0; recording < 2; recording++)
        {
            (float[] actual, int fewer) = Run(copies);
            Assert.Equal(expected, actual);
            Assert.Equal(1, fewer);
            // 44 columns are three panels of 16, or six of 8.
            long padded =
                (Outputs + device.Info.SubgroupSize - 1) / device.Info.SubgroupSize * device.Info.SubgroupSize;
            Assert.Equal(hasPanels ? padded * Inputs * sizeof(float) : 0, copies.ByteLength);
        }

        (float[], int) Run(FixedWeights? given)
        {
            Tensor y = null!;
            using Graph graph = device.Record(
                r => y = r.Keep(r.Linear(x, weight, bias)),
                new GraphOptions
                {
                    Fixed = given,
                    Forced = new ForcedChoices { Product = "columns 24x24" },
                }
            );
            graph.Run();
            return (device.Read<float>(y), graph.Dispatches.Count);
        }
    }

    private static Tensor Noise(GpuDevice device, Tensor tensor)
    {
        Random random = new((int)tensor.Elements);
        device.Write<float>(
            tensor,
            [.. Enumerable.Range(0, (int)tensor.Elements).Select(_ => random.NextSingle() - 0.5f)]
        );
        return tensor;
    }
}
