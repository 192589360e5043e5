using Deit.Gpu;
using Deit.Gpu.Vulkan;
using Deit.Tests.Model.Serving;

namespace Deit.Tests.Gpu.Vulkan;

/// <summary>Drivers that write no bindings into command buffers, such as SwiftShader: the tests' device, opened as one of them.</summary>
public sealed class DescriptorSetsTests
{
    private const int OutOfDeviceMemory = -2;

    [Fact]
    public void Results_are_the_same_bits_as_with_bindings_in_command_buffers()
    {
        (float[] expected, int runs) = Compute(GpuDevice.Open());
        (float[] actual, int others) = Compute(GpuDevice.Open(WithoutPushDescriptors()));
        Assert.Equal(expected, actual);
        Assert.Equal(runs, others);
    }

    [Theory]
    [InlineData(nameof(VulkanCalls.CreateDescriptorPool))]
    [InlineData(nameof(VulkanCalls.AllocateDescriptorSet))]
    public void A_device_without_memory_for_them_says_so_and_leaves_nothing_behind(string failing)
    {
        using GpuDevice device = GpuDevice.Open(WithoutPushDescriptors());
        using Arena arena = device.CreateArena("x", 1024);
        Tensor x = arena.Allocate([64]);
        device.Record(r => r.Keep(r.Scale(x, 2))).Dispose(); // makes what the device keeps
        long before = VulkanCalls.LiveObjects;
        GpuException error = Assert.Throws<GpuException>(() =>
            EngineModels.WithFault(
                OutOfDeviceMemory,
                (_, function) => function == failing,
                () => device.Record(r => r.Keep(r.Scale(x, 2)))
            )
        );
        Assert.Equal(GpuErrorKind.OutOfMemory, error.Reason);
        Assert.Equal(before, VulkanCalls.LiveObjects);
    }

    private static GpuInfo WithoutPushDescriptors() => TestDevice.Current.Info with { PushDescriptors = false };

    // The result of two runs and a profile of a graph of several kernels, and the launches that the profile saw.
    private static (float[] Result, int Launches) Compute(GpuDevice device)
    {
        using (device)
        {
            using Arena arena = device.CreateArena("x", Arena.SizeOf(DType.F32, [30, 16], [20, 16], [20]));
            Tensor x = arena.Allocate([30, 16]),
                weight = arena.Allocate([20, 16]),
                bias = arena.Allocate([20]);
            Random random = new(5);
            foreach (Tensor tensor in (Tensor[])[x, weight, bias])
                device.Write<float>(
                    tensor,
                    [.. Enumerable.Range(0, (int)tensor.Elements).Select(_ => random.NextSingle() - 0.5f)]
                );
            Tensor y = null!;
            using Graph graph = device.Record(r =>
                y = r.Keep(r.Gelu(r.Add(r.Linear(x, weight, bias), r.Linear(x, weight, null))))
            );
            graph.Run();
            graph.Run();
            int launches = graph.Profile().Rows.Count;
            return (device.Read<float>(y), launches);
        }
    }
}
