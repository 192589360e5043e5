using Deit.Gpu;
using Deit.Gpu.Vulkan;
using Deit.Tests.Gpu.Devices;
using Silk.NET.Vulkan;

namespace Deit.Tests.Gpu.Vulkan;

/// <summary>Memory as drivers list it: types with a letter for each property, and the heap that they are of.</summary>
public sealed class MemoryChoiceTests
{
    private const long Gibi = 1L << 30,
        Mebi = 1L << 20;
    private const uint All = uint.MaxValue;

    // L device-local, V host-visible, C coherent, H host-cached, D coherent with the device, U uncached by it, P protected
    private static readonly (string Type, uint Heap)[] Nvidia =
        [("", 1), ("L", 0), ("L", 0), ("VC", 1), ("VCH", 1), ("LVC", 2)],
        Resizable = [("", 1), ("L", 0), ("VC", 1), ("VCH", 1), ("LVC", 0)],
        Amd = [("L", 0), ("VC", 1), ("LVC", 0), ("VCH", 1), ("LDU", 0), ("LVCDU", 0), ("VCHD", 1), ("VCHDU", 1)],
        Intel = [("L", 0), ("LVC", 0), ("LVCH", 0), ("LP", 0)],
        Apu = [("L", 0), ("VC", 1), ("LVC", 0), ("VCH", 1)];

    [Fact]
    public void A_card_takes_the_device_local_type_that_buffers_may_use()
    {
        long[] heaps = [24 * Gibi, 32 * Gibi, 246 * Mebi];
        // Of two types of one heap the first is for images alone.
        Assert.Equal(new MemoryChoice(2, 0, false, false), Choose(Nvidia, heaps, GpuType.Discrete, 0b111100));
        Assert.Equal(new MemoryChoice(1, 0, false, false), Choose(Nvidia, heaps, GpuType.Discrete, All));
        Assert.Equal(new MemoryChoice(2, 0, false, false), Choose(Nvidia, heaps, GpuType.Virtual, 0b111100));
    }

    [Fact]
    public void A_card_whose_whole_memory_the_host_sees_takes_that_unless_buffers_may_not()
    {
        long[] heaps = [24 * Gibi, 32 * Gibi];
        Assert.Equal(new MemoryChoice(4, 0, true, false), Choose(Resizable, heaps, GpuType.Discrete, All));
        Assert.Equal(new MemoryChoice(1, 0, false, false), Choose(Resizable, heaps, GpuType.Discrete, 0b01111));
    }

    [Theory]
    [InlineData(GpuType.Discrete)]
    [InlineData(GpuType.Integrated)]
    public void Memory_that_bypasses_the_devices_caches_is_avoided(GpuType type)
    {
        long[] heaps = [16 * Gibi, 16 * Gibi];
        Assert.Equal(new MemoryChoice(2, 0, true, false), Choose(Amd, heaps, type, All));
        // Nor where nothing else would be seen by the host, or is device-local at all.
        Assert.Equal(new MemoryChoice(0, 0, false, false), Choose(Amd, heaps, type, 0b11111011));
        Assert.Equal(default, Choose([("LVCDU", 0)], heaps, type, All));
        Assert.Equal([3u, 1u, 2u], Staging(Amd, heaps, All));
    }

    [Fact]
    public void Unified_memory_is_taken_cached()
    {
        Assert.Equal(new MemoryChoice(2, 0, true, true), Choose(Intel, [12 * Gibi], GpuType.Integrated, All));
        Assert.Equal(new MemoryChoice(2, 0, true, true), Choose(Intel, [12 * Gibi], GpuType.Cpu, All));
        Assert.Equal(new MemoryChoice(1, 0, true, false), Choose(Intel, [12 * Gibi], GpuType.Integrated, 0b0011));
    }

    [Theory]
    [InlineData(GpuType.Integrated, 256 * Mebi, 8 * Gibi, 1, 1)]
    [InlineData(GpuType.Integrated, 3 * Gibi, 8 * Gibi, 1, 1)]
    [InlineData(GpuType.Integrated, 4 * Gibi, 8 * Gibi, 2, 0)] // half of it
    [InlineData(GpuType.Integrated, 8 * Gibi, 4 * Gibi, 2, 0)]
    [InlineData(GpuType.Discrete, 2 * Gibi, 32 * Gibi, 2, 0)] // over the bus
    [InlineData(GpuType.Virtual, 2 * Gibi, 32 * Gibi, 2, 0)]
    public void A_GPU_without_memory_of_its_own_takes_what_the_host_sees_where_less_than_half_of_that_is_set_aside(
        GpuType type,
        long local,
        long host,
        uint expected,
        uint heap
    ) => Assert.Equal(new MemoryChoice(expected, heap, true, false), Choose(Apu, [local, host], type, All));

    [Fact]
    public void Memory_that_the_host_sees_and_buffers_may_not_use_is_not_borrowed()
    {
        Assert.Equal(
            new MemoryChoice(2, 0, true, false),
            Choose(Apu, [256 * Mebi, 8 * Gibi], GpuType.Integrated, 0b0101)
        );
        Assert.Equal(
            new MemoryChoice(3, 1, true, true),
            Choose(Apu, [256 * Mebi, 8 * Gibi], GpuType.Integrated, 0b1101)
        );
    }

    [Fact]
    public void Staging_prefers_what_the_host_caches_of_what_buffers_may_use()
    {
        long[] heaps = [24 * Gibi, 32 * Gibi, 246 * Mebi];
        Assert.Equal([4u, 3u, 5u], Staging(Nvidia, heaps, All));
        Assert.Equal([3u, 5u], Staging(Nvidia, heaps, 0b101111));
    }

    private static MemoryChoice Choose((string, uint)[] types, long[] heaps, GpuType type, uint allowed) =>
        MemoryChoice.For(Memory(types, heaps), type, allowed);

    private static IEnumerable<uint> Staging((string, uint)[] types, long[] heaps, uint allowed) =>
        MemoryChoice.ForStaging(Memory(types, heaps), allowed);

    private static PhysicalDeviceMemoryProperties Memory((string Type, uint Heap)[] types, long[] heaps) =>
        new RealMemory(GpuType.Other, heaps, types).ToVulkan();
}
