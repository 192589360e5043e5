using Deit.Gpu;
using Deit.Gpu.Vulkan;
using Silk.NET.Vulkan;

namespace Deit.Tests.Gpu.Devices;

public sealed class SubgroupRangeTests
{
    [Theory]
    [InlineData(8, 32, 32, 8)] // Intel
    [InlineData(16, 32, 32, 16)] // Intel from Xe2 on
    [InlineData(32, 64, 64, 32)] // AMD from RDNA on
    [InlineData(64, 64, 64, 64)] // AMD before
    [InlineData(32, 32, 32, 32)] // NVIDIA
    [InlineData(8, 8, 8, 8)] // CPU drivers
    [InlineData(4, 4, 4, 4)]
    [InlineData(1, 64, 32, 8)] // a subgroup of one lane would give that lane the values of all
    [InlineData(4, 64, 4, 4)]
    [InlineData(0, 0, 32, 32)] // nothing may be asked for
    public void The_narrowest_subgroup_has_8_lanes_where_it_may_be_asked_for(
        int least,
        int most,
        int reported,
        int expected
    )
    {
        SubgroupRange range = new(least, most);
        Assert.Equal(expected, range.Narrowest(reported));
        Assert.Equal(most > 0, range.Contains(range.Narrowest(reported)));
    }

    [Fact]
    public void A_size_may_be_asked_for_within_what_the_device_offers_compute_kernels()
    {
        PhysicalDeviceVulkan13Properties properties = new()
        {
            MinSubgroupSize = 8,
            MaxSubgroupSize = 32,
            RequiredSubgroupSizeStages = ShaderStageFlags.ComputeBit | ShaderStageFlags.FragmentBit,
        };
        SubgroupRange range = PhysicalDevices.SubgroupSizes(properties, control: true);
        Assert.Equal([8, 16, 32], ((int[])[4, 8, 16, 32, 64]).Where(range.Contains));
        Assert.Equal(default, PhysicalDevices.SubgroupSizes(properties, control: false));
        Assert.Equal(
            default,
            PhysicalDevices.SubgroupSizes(
                properties with
                {
                    RequiredSubgroupSizeStages = ShaderStageFlags.FragmentBit,
                },
                control: true
            )
        );
        Assert.False(range.IsFixed);
    }

    // Mesa's driver for NVIDIA offers one size and lets no kernel ask for it.
    [Fact]
    public void The_only_size_is_certain_without_asking()
    {
        PhysicalDeviceVulkan13Properties properties = new() { MinSubgroupSize = 32, MaxSubgroupSize = 32 };
        SubgroupRange range = PhysicalDevices.SubgroupSizes(properties, control: true);
        Assert.True(range.Contains(32));
        Assert.True(range.IsFixed);
        Assert.Equal(range, PhysicalDevices.SubgroupSizes(properties, control: false));
    }

    [Fact]
    public void What_the_devices_kernels_ask_for_is_among_it()
    {
        GpuInfo info = TestDevice.Current.Info;
        Assert.True(
            info.SubgroupSizes.Contains(info.SubgroupSize),
            $"{info.SubgroupSizes} without {info.SubgroupSize}"
        );
        Assert.True(info.SubgroupSizes.Contains(info.NarrowSubgroupSize));
    }
}
