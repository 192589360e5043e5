using Deit.Train.Training;

namespace Deit.Tests.Train.Training;

public class HostMemoryTests
{
    [Fact]
    public void What_is_available_is_some_of_what_the_machine_has() =>
        Assert.InRange(HostMemory.Available(), 1 << 20, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    [Fact]
    public void A_little_is_granted_and_more_than_any_machine_has_is_refused()
    {
        HostMemory.Require(1 << 20, "a test");
        DeitException error = Assert.Throws<DeitException>(() => HostMemory.Require(1L << 60, "a test"));
        Assert.Contains($"for a test: {1L << 40} MiB needed", error.Message);
        Assert.Contains("--batch-size", error.Message);
    }
}
