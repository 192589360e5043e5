using Deit.Gpu;
using Deit.Gpu.Vulkan;

namespace Deit.Tests.Gpu.Vulkan;

// A device that cannot run anything is opened to compile. Here it is the device of all tests, called unsuitable.
public sealed class CompilingDeviceTests
{
    private static readonly GpuInfo Info = TestDevice.Current.Info with { Unsuitable = "a test says so" };

    [Fact]
    public void It_records_and_compiles_and_runs_nothing()
    {
        KernelCollector collector = new(Info);
        long before = VulkanCalls.LiveObjects;
        using (GpuDevice device = GpuDevice.OpenToInspect(Info, collector))
        {
            Assert.False(device.Runs);
            using Arena arena = device.CreateArena("a test", 1L << 40); // more than there is: it is pretended
            Tensor x = arena.Allocate([8, 16]);
            device.Write<float>(x, [.. Enumerable.Repeat(1f, 128)]);
            using Graph graph = device.Record(r => r.Keep(r.Gelu(x)));
            graph.Run();
            Assert.All(device.Read<float>(x), value => Assert.Equal(0, value));
            CompiledKernel compiled = device.Vulkan.Pipelines.Inspect(graph.Dispatches[0].Pipeline);
            Assert.Null(compiled.Refusal);
            Assert.True(compiled.Milliseconds > 0);
            Assert.Throws<InvalidOperationException>(() => device.Choices);
        }
        Assert.Equal(before, VulkanCalls.LiveObjects);
    }

    [Fact]
    public void A_kernel_that_the_driver_refuses_is_told()
    {
        using GpuDevice device = GpuDevice.OpenToInspect(Info, new KernelCollector(Info));
        using Arena arena = device.CreateArena("a test", 4096);
        Tensor x = arena.Allocate([8, 16]);
        using Graph graph = device.Record(r => r.Keep(r.Gelu(x)));
        VulkanCalls.Fault = call => call == "CreateComputePipeline" ? -13 : 0; // VK_ERROR_UNKNOWN
        try
        {
            Assert.NotNull(device.Vulkan.Pipelines.Inspect(graph.Dispatches[0].Pipeline).Refusal);
        }
        finally
        {
            VulkanCalls.Fault = null;
        }
    }

    [Fact]
    public void All_candidates_are_collected_and_the_first_is_taken()
    {
        KernelCollector collector = new(Info);
        using GpuDevice device = GpuDevice.OpenToInspect(Info, collector);
        using Arena arena = device.CreateArena("a test", 1 << 20);
        Tensor a = arena.Allocate([64, 64]),
            b = arena.Allocate([64, 64]);
        using Graph graph = device.Record(r =>
        {
            r.Keep(r.MatMul(a, b));
            r.Keep(r.MatMul(b, a)); // the same choice
        });
        KernelCollector.Choice choice = Assert.Single(collector.Choices);
        Assert.Equal(
            MatMulOp.CandidateNames(Info, 64, 64, 64),
            choice.Candidates.Select(candidate => candidate.Kernel.Name)
        );
        Assert.All(choice.Candidates, candidate => Assert.NotEmpty(candidate.Dispatches));
        Assert.Equal(choice.Candidates[0].Dispatches[^1].Specialization, graph.Dispatches[0].Specialization);
    }
}
