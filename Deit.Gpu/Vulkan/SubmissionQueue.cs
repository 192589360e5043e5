using Silk.NET.Vulkan;
using Semaphore = Silk.NET.Vulkan.Semaphore;

namespace Deit.Gpu.Vulkan;

/// <summary>The device's queue with the timeline semaphore that counts submissions. Thread-safe.</summary>
internal sealed unsafe class SubmissionQueue : IDisposable
{
    private readonly VulkanDevice _device;
    private readonly Queue _queue;
    private readonly Semaphore _timeline;
    private readonly Lock _gate = new();
    private ulong _submitted;

    public SubmissionQueue(VulkanDevice device, Queue queue)
    {
        (_device, _queue) = (device, queue);
        if (!device.Runs)
            return;
        SemaphoreTypeCreateInfo type = new()
        {
            SType = StructureType.SemaphoreTypeCreateInfo,
            SemaphoreType = SemaphoreType.Timeline,
        };
        SemaphoreCreateInfo create = new() { SType = StructureType.SemaphoreCreateInfo, PNext = &type };
        VulkanError.Check(device.Calls.CreateSemaphore(in create, out _timeline), "creating the timeline semaphore");
    }

    /// <summary>The value that the last submission will signal.</summary>
    public ulong Submitted => Volatile.Read(ref _submitted);

    /// <summary>True when everything submitted has finished.</summary>
    public bool Idle
    {
        get
        {
            if (!_device.Runs)
                return true;
            ulong value;
            VulkanError.Check(
                _device.Calls.GetSemaphoreCounterValue(_timeline, &value),
                "reading the timeline semaphore"
            );
            return value >= Submitted;
        }
    }

    /// <summary>Submits command buffers, each as a batch of its own so that no driver sees one long run.</summary>
    /// <returns>The value to wait for.</returns>
    public ulong Submit(ReadOnlySpan<CommandBuffer> commands)
    {
        if (!_device.Runs)
            return Submitted;
        CommandBufferSubmitInfo* infos = stackalloc CommandBufferSubmitInfo[commands.Length];
        SubmitInfo2* submits = stackalloc SubmitInfo2[commands.Length];
        SemaphoreSubmitInfo signal = new()
        {
            SType = StructureType.SemaphoreSubmitInfo,
            Semaphore = _timeline,
            StageMask = PipelineStageFlags2.AllCommandsBit,
        };
        for (int i = 0; i < commands.Length; i++)
        {
            infos[i] = new CommandBufferSubmitInfo
            {
                SType = StructureType.CommandBufferSubmitInfo,
                CommandBuffer = commands[i],
            };
            submits[i] = new SubmitInfo2
            {
                SType = StructureType.SubmitInfo2,
                CommandBufferInfoCount = 1,
                PCommandBufferInfos = &infos[i],
            };
        }
        submits[commands.Length - 1].SignalSemaphoreInfoCount = 1;
        submits[commands.Length - 1].PSignalSemaphoreInfos = &signal;
        lock (_gate)
        {
            signal.Value = _submitted + 1;
            VulkanError.Check(_device.Calls.QueueSubmit2(_queue, (uint)commands.Length, submits), "submitting work");
            Volatile.Write(ref _submitted, signal.Value);
        }
        if (VulkanInstance.ValidationEnabled)
            VulkanInstance.ThrowOnMessages();
        return signal.Value;
    }

    /// <summary>Waits until a submission has finished.</summary>
    public void Wait(ulong value)
    {
        if (!_device.Runs)
            return;
        Semaphore timeline = _timeline;
        SemaphoreWaitInfo wait = new()
        {
            SType = StructureType.SemaphoreWaitInfo,
            SemaphoreCount = 1,
            PSemaphores = &timeline,
            PValues = &value,
        };
        VulkanError.Check(_device.Calls.WaitSemaphores(in wait), "waiting for the device");
        if (VulkanInstance.ValidationEnabled)
            VulkanInstance.ThrowOnMessages();
    }

    /// <summary>Waits until everything submitted has finished.</summary>
    public void WaitIdle() => Wait(Submitted);

    /// <summary>
    /// Waits before memory is given back. A lost device runs nothing any more, so that only its objects remain to be
    /// released.
    /// </summary>
    public void WaitIdleQuietly()
    {
        // When memory is short, a wait may fail too while the device still computes: it is tried again.
        for (int attempt = 0; attempt < 3; attempt++)
            try
            {
                WaitIdle();
                return;
            }
            catch (GpuException error) when (error.Reason is GpuErrorKind.DeviceLost)
            {
                return; // reported by the call that lost it
            }
            catch (GpuException error) when (error.Reason is GpuErrorKind.OutOfMemory)
            {
                Thread.Sleep(1);
            }
    }

    public void Dispose()
    {
        if (_device.Runs)
            _device.Calls.Destroy(_timeline);
    }
}
