using System.Buffers.Binary;
using Deit.Gpu;
using Deit.Gpu.Vulkan;

namespace Deit.Tests.Gpu.Recording;

/// <summary>Tensors that a kernel reads by their addresses instead of a binding.</summary>
public class AddressTests
{
    private readonly record struct Push(uint A, uint B, uint C);

    // A 64-bit number lies at a multiple of 8 bytes.
    [Theory]
    [InlineData(12, 0, 12)]
    [InlineData(12, 1, 24)]
    [InlineData(16, 1, 24)]
    [InlineData(52, 1, 64)]
    [InlineData(16, 2, 32)]
    public void Addresses_follow_the_push_constants(int bytes, int addresses, int expected) =>
        Assert.Equal(expected, Dispatch.PushLength(bytes, addresses));

    [Fact]
    public void A_kernel_with_more_than_128_bytes_is_refused() =>
        Assert.Contains(
            "has 136 bytes",
            Assert.Throws<ArgumentException>(() => new Kernel<Push>("none", addresses: 15)).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void The_last_tensors_have_no_binding_and_are_waited_for()
    {
        Kernel<Push> kernel = new("scale", addresses: 2); // which is not run
        GpuDevice device = TestDevice.Current;
        using Arena arena = new(device.Vulkan, "a test", Arena.SizeOf(DType.F32, [4, 1024]));
        Tensor all = arena.Allocate([4, 1024]);
        Tensor bound = all.Slice(0, [1000]),
            first = all.Slice(1024, [1000]),
            second = all.Slice(2048, [1000]);
        Recorder recorder = new(device.Info, new FirstCandidate(), GraphOptions.Default);
        recorder.Dispatch(
            kernel,
            new Push(1, 2, 3),
            new WorkgroupCount(1, 1, 1),
            [],
            [Binding.Write(bound), Binding.Read(first), Binding.Read(second)]
        );
        Dispatch dispatch = Assert.Single(recorder.Dispatches);
        Assert.Equal([ShaderAccess.Write], dispatch.Pipeline.Bindings);
        Assert.Equal(3, dispatch.Bindings.Length);
        Launch launch = dispatch.ToLaunch();
        Assert.Single(launch.Ranges);
        Assert.Equal(32, launch.Push.Length);
        Assert.Equal(3u, BinaryPrimitives.ReadUInt32LittleEndian(launch.Push.AsSpan(8)));
        ulong at = BinaryPrimitives.ReadUInt64LittleEndian(launch.Push.AsSpan(16));
        Assert.Equal(first.Buffer.Address + (ulong)first.BufferOffset, at);
        Assert.Equal(4096ul, BinaryPrimitives.ReadUInt64LittleEndian(launch.Push.AsSpan(24)) - at);
        Assert.Equal(device.Info.BufferAddresses, first.Buffer.Address != 0);
    }

    private sealed class FirstCandidate : IKernelChooser
    {
        public string Choose(string key, IReadOnlyList<KernelCandidate> candidates, KernelTrial trial) =>
            candidates[0].Name;
    }
}
