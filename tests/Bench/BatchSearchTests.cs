using Deit.Bench.Suites;
using Deit.Gpu;

namespace Deit.Tests.Bench;

public sealed class BatchSearchTests
{
    [Theory]
    [InlineData(1000, 256)]
    [InlineData(256, 256)]
    [InlineData(255, 128)]
    [InlineData(5, 4)]
    [InlineData(1, 1)]
    public void It_is_the_largest_power_of_two_that_fits(int fits, int expected)
    {
        int opened = 0;
        (int batch, string what) = BatchSearch.Largest(size =>
        {
            opened++;
            return size <= fits
                ? $"opened {size}"
                : throw new GpuException(size % 3 == 1 ? GpuErrorKind.OutOfMemory : GpuErrorKind.Limit, "too large");
        });
        Assert.Equal((expected, $"opened {expected}"), (batch, what));
        Assert.Equal(1 + Math.Log2(256.0 / expected), opened);
    }

    [Fact]
    public void Where_nothing_fits_the_device_says_why() =>
        Assert.Equal(
            "too large",
            Assert
                .Throws<GpuException>(() =>
                    BatchSearch.Largest<int>(_ => throw new GpuException(GpuErrorKind.OutOfMemory, "too large"))
                )
                .Message
        );

    [Fact]
    public void Other_failures_end_the_search_at_once()
    {
        int opened = 0;
        Assert.Throws<GpuException>(() =>
            BatchSearch.Largest<int>(_ => throw new GpuException(GpuErrorKind.DeviceLost, $"lost {opened++}"))
        );
        Assert.Equal(1, opened);
    }
}
