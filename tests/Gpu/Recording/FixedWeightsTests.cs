using Deit.Gpu;
using Deit.Tests.Model.Serving;

namespace Deit.Tests.Gpu.Recording;

/// <summary>Weights that do not change, in the form that kernels read.</summary>
public class FixedWeightsTests
{
    private const int OutOfDeviceMemory = -2;
    private const string Columns = "columns 24x24",
        Tiled = "tiled 32x32x16 4x4";
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

        (float[], int) Run(FixedWeights? given) => FixedWeightsTests.Run(device, given, Columns, x, weight, bias);
    }

    // 48 columns are whole panels of 4, 8 and 16: they have the size of the rows, and so may take their place.
    [Fact]
    public void Weights_that_may_be_rearranged_take_no_more_memory()
    {
        GpuDevice device = TestDevice.Current;
        Shape shape = [48, Inputs];
        using Arena weights = device.CreateArena("weights", Arena.SizeOf(DType.F32, shape, shape, [48]));
        using Arena inputs = device.CreateArena("inputs", Arena.SizeOf(DType.F32, [Rows, Inputs]));
        Tensor weight = Noise(device, weights.Allocate(shape, name: "weight")),
            other = Noise(device, weights.Allocate(shape, name: "other")),
            bias = Noise(device, weights.Allocate([48])),
            x = Noise(device, inputs.Allocate([Rows, Inputs]));
        using FixedWeights forms = device.CreateFixedWeights(weight, mayRearrange: true);
        float[] others = device.Read<float>(other);
        (float[] byColumns, int dispatches) = Run(device, null, Columns, x, weight, bias);
        Tensor part = weight.Slice(16 * Inputs, [16, Inputs]);
        (float[] ofPart, _) = Run(device, null, Tiled, x, part, null);
        (float[] byRows, _) = Run(device, null, Tiled, x, weight, bias);
        bool hasPanels = dispatches > 1;

        using Graph before = device.Record(r => r.Keep(r.Linear(x, weight, bias)));
        before.Run();
        (float[] actual, int fewer) = Run(device, forms, Columns, x, weight, bias);
        Assert.Equal(byColumns, actual);
        Assert.Equal(1, fewer);
        Assert.Equal(0, forms.ByteLength);
        if (!hasPanels)
            return;

        // What does not know of the order is refused, and the neighbours are untouched.
        Assert.Contains("recorded", Refused(before.Run));
        Assert.Contains("order of a kernel", Refused(() => device.Fill(weight)));
        Assert.Contains("order of a kernel", Refused(() => device.Read<float>(weight)));
        Assert.Contains("order of a kernel", Refused(() => device.Write<float>(weight, others)));
        Assert.Contains("GraphOptions.Fixed", Refused(() => Run(device, null, Columns, x, weight, bias)));
        Assert.Equal(others, device.Read<float>(other));

        // A kernel that wants the rows gets them back, once.
        for (int recording = 0; recording < 2; recording++)
        {
            Assert.Equal(byRows, Run(device, forms, Tiled, x, weight, bias).Result);
            Assert.Equal(byColumns, Run(device, forms, Columns, x, weight, bias).Result);
            Assert.Equal(shape.Elements * sizeof(float), forms.ByteLength);
        }
        Assert.Equal(ofPart, Run(device, forms, Tiled, x, part, null).Result);
        Assert.Equal(shape.Elements * sizeof(float), forms.ByteLength);

        Assert.Contains(
            "promised not to change",
            Refused(() => device.Record(r => r.Copy(other, weight), new GraphOptions { Fixed = forms }))
        );

        // Rows that a recording reads as they are keep their place.
        Run(device, forms, Tiled, x, other, bias);
        Run(device, forms, Columns, x, other, bias);
        Assert.Equal(others, device.Read<float>(other));
        Assert.Equal(2 * shape.Elements * sizeof(float), forms.ByteLength);
    }

    // Whatever call of the driver fails, the next recording finds the weights as they were, or laid out once.
    [Fact]
    public void A_recording_that_failed_is_made_again()
    {
        GpuDevice device = TestDevice.Current;
        float[]? expected = null;
        int failing = 0;
        bool failed;
        do
        {
            using Arena arena = device.CreateArena("weights", Arena.SizeOf(DType.F32, [48, Inputs]));
            using Arena inputs = device.CreateArena("inputs", Arena.SizeOf(DType.F32, [Rows, Inputs]));
            Tensor weight = Noise(device, arena.Allocate([48, Inputs])),
                x = Noise(device, inputs.Allocate([Rows, Inputs]));
            expected ??= Run(device, null, Columns, x, weight, null).Result;
            using FixedWeights forms = device.CreateFixedWeights(weight, mayRearrange: true);
            failing++;
            failed = false;
            EngineModels.WithFault(
                OutOfDeviceMemory,
                (call, _) => call == failing,
                () =>
                {
                    try
                    {
                        Run(device, forms, Columns, x, weight, null);
                    }
                    catch (GpuException)
                    {
                        failed = true;
                    }
                }
            );
            Assert.Equal(expected, Run(device, forms, Columns, x, weight, null).Result);
        } while (failed);
        Assert.InRange(failing, 3, 100);
    }

    private static string Refused(Action action) => Assert.Throws<InvalidOperationException>(action).Message;

    private static (float[] Result, int Dispatches) Run(
        GpuDevice device,
        FixedWeights? given,
        string product,
        Tensor x,
        Tensor weight,
        Tensor? bias
    )
    {
        Tensor y = null!;
        using Graph graph = device.Record(
            r => y = r.Keep(r.Linear(x, weight, bias)),
            new GraphOptions
            {
                Fixed = given,
                Forced = new ForcedChoices { Product = product },
            }
        );
        graph.Run();
        return (device.Read<float>(y), graph.Dispatches.Count);
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
