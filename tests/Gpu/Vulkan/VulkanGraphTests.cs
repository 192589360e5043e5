using Deit.Gpu;
using Deit.Gpu.Vulkan;

namespace Deit.Tests.Gpu.Vulkan;

public sealed class VulkanGraphTests
{
    // Nothing guarantees that the bits of a timestamp that do not count are zero: a mask of the difference leaves them
    // out in either case.
    [Theory]
    [InlineData(5UL, 12UL, 64, 7)]
    [InlineData(ulong.MaxValue - 2, 4UL, 64, 7)]
    [InlineData(0xF_FFFF_FFFDUL, 4UL, 36, 7)]
    [InlineData(0xA0_0000_0005UL, 0x50_0000_000CUL, 36, 7)]
    [InlineData(0xFFFF_FFFDUL, 4UL, 32, 7)]
    [InlineData(0UL, 0xF_FFFF_FFFFUL, 36, 0xF_FFFF_FFFF)]
    [InlineData(1UL, 0UL, 1, 1)]
    public void Timestamps_start_anew_after_as_many_bits_as_count(ulong start, ulong end, uint bits, long expected) =>
        Assert.Equal((ulong)expected, VulkanGraph.Elapsed(start, end, bits));

    // A device of half the rate for which the budget is made.
    [Theory]
    [InlineData(GpuType.Discrete, 2e12)]
    [InlineData(GpuType.Virtual, 2e12)]
    [InlineData(GpuType.Integrated, 1e11)]
    [InlineData(GpuType.Other, 1e11)]
    public void A_submission_of_a_slow_device_ends_before_it_is_reset(GpuType type, double flopsPerSecond)
    {
        Assert.InRange(VulkanGraph.Budget(type, isWindows: true) / flopsPerSecond, 0.1, 0.5);
        Assert.InRange(VulkanGraph.Budget(type, isWindows: false) / flopsPerSecond, 1, 2);
    }

    [Fact]
    public void Nothing_watches_a_driver_on_the_processor() =>
        Assert.Equal(double.PositiveInfinity, VulkanGraph.Budget(GpuType.Cpu, isWindows: true));
}
