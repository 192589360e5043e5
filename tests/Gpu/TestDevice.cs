using Deit.Gpu;
using Deit.Model;

namespace Deit.Tests.Gpu;

/// <summary>The device of all tests, opened once. A missing device fails the tests that need one; nothing is skipped.</summary>
internal static class TestDevice
{
    private static readonly Lazy<GpuDevice> Opened = new(() =>
    {
        GpuDevice device = GpuDevice.Open();
        Console.Error.WriteLine(
            $"Tests run on {device.Info}{(Environment.GetEnvironmentVariable("DEIT_VALIDATION") is "1" ? ", with validation" : "")}"
        );
        return device;
    });

    public static GpuDevice Current => Opened.Value;

    /// <summary>Loads models on any device there is.</summary>
    public static DeitModelOptions Any => new() { CpuFallback = true };
}
