using Deit.Gpu;
using Deit.Gpu.Vulkan;
using Deit.Tests.Model.Serving;

namespace Deit.Tests.Gpu.Vulkan;

/// <summary>The descriptor sets of a graph's launches.</summary>
public sealed class DescriptorSetsTests
{
    private const int OutOfDeviceMemory = -2,
        FragmentedPool = -12,
        OutOfPoolMemory = -1_000_069_000,
        Fragmentation = -1_000_161_000;

    [Theory]
    [InlineData(nameof(VulkanCalls.CreateDescriptorPool), OutOfDeviceMemory)]
    [InlineData(nameof(VulkanCalls.CreateDescriptorPool), Fragmentation)]
    [InlineData(nameof(VulkanCalls.AllocateDescriptorSet), OutOfDeviceMemory)]
    [InlineData(nameof(VulkanCalls.AllocateDescriptorSet), FragmentedPool)]
    [InlineData(nameof(VulkanCalls.AllocateDescriptorSet), OutOfPoolMemory)]
    public void A_device_without_memory_for_them_says_so_and_leaves_nothing_behind(string failing, int answer)
    {
        using GpuDevice device = GpuDevice.Open();
        using Arena arena = device.CreateArena("x", 1024);
        Tensor x = arena.Allocate([64]);
        device.Record(r => r.Keep(r.Scale(x, 2))).Dispose(); // makes what the device keeps
        long before = VulkanCalls.LiveObjects;
        GpuException error = Assert.Throws<GpuException>(() =>
            EngineModels.WithFault(
                answer,
                (_, function) => function == failing,
                () => device.Record(r => r.Keep(r.Scale(x, 2)))
            )
        );
        Assert.Equal(GpuErrorKind.OutOfMemory, error.Reason);
        Assert.Equal(before, VulkanCalls.LiveObjects);
    }

    /// <summary>One kernel runs twice on other tensors, and each launch finds its own, in every run and in a profile.</summary>
    [Fact]
    public void Each_launch_has_its_own_bindings_in_every_run()
    {
        using GpuDevice device = GpuDevice.Open();
        using Arena arena = device.CreateArena("x", 4096);
        Tensor x = arena.Allocate([64]),
            twice = arena.Allocate([64]),
            fourTimes = arena.Allocate([64]);
        using Graph graph = device.Record(r =>
        {
            r.Copy(r.Scale(x, 2), twice);
            r.Copy(r.Scale(r.Scale(x, 2), 2), fourTimes);
        });
        foreach (float value in (float[])[3, -5])
        {
            device.Write<float>(x, [.. Enumerable.Repeat(value, 64)]);
            if (value > 0)
                graph.Run();
            else
                graph.Profile();
            Assert.All(device.Read<float>(twice), v => Assert.Equal(2 * value, v));
            Assert.All(device.Read<float>(fourTimes), v => Assert.Equal(4 * value, v));
        }
    }
}
