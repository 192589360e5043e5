using Deit.Gpu.Vulkan;

namespace Deit.Tests.Model.Serving;

/// <summary>Holds the thread that makes the next call of the driver, until it is released or disposed.</summary>
internal sealed class HeldDriver : IDisposable
{
    private readonly ManualResetEventSlim _release = new();

    /// <summary>Holds the next call.</summary>
    /// <param name="result">The VkResult of the calls that are held; 0 lets them succeed.</param>
    public HeldDriver(int result = 0) =>
        VulkanCalls.Fault = _ =>
        {
            Entered.Set();
            _release.Wait();
            return result;
        };

    /// <summary>Set when a thread is held.</summary>
    public ManualResetEventSlim Entered { get; } = new();

    public void Release() => _release.Set();

    public void Dispose()
    {
        VulkanCalls.Fault = null;
        _release.Set();
    }
}
