using Deit.Gpu;

namespace Deit.Model.Serving;

/// <summary>
/// An open device that the models of this process share: the first to ask for it opens it, the last to release it
/// closes it. A lost device is handed out no more. The next to ask opens it anew, while those that still hold the lost
/// one give back the memory they have there.
/// </summary>
internal sealed class SharedDevice
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, SharedDevice> Open = [];
    private readonly string _key;
    private int _users;
    private volatile bool _lost;

    private SharedDevice(string key, GpuDevice device) => (_key, Device) = (key, device);

    public GpuDevice Device { get; }

    /// <summary>True once a user has met its loss.</summary>
    public bool Lost => _lost;

    /// <summary>The device, which is opened unless it is open already; to be released once.</summary>
    /// <param name="info">The device.</param>
    /// <param name="kernelBudget">How long kernels may be measured on it, where it is not open yet.</param>
    /// <exception cref="GpuException">It cannot be opened.</exception>
    public static SharedDevice Acquire(GpuInfo info, TimeSpan kernelBudget)
    {
        // Two equal cards have one driver, so that the place in the enumeration belongs to the key.
        string key = $"{info.Uuid} {info.Index}";
        lock (Gate)
        {
            if (!Open.TryGetValue(key, out SharedDevice? shared))
            {
                Open.Add(key, shared = new SharedDevice(key, GpuDevice.Open(info)));
                shared.Device.Choices.Budget = kernelBudget;
            }
            shared._users++;
            return shared;
        }
    }

    public void MarkLost()
    {
        lock (Gate)
        {
            _lost = true;
            Forget();
        }
    }

    public void Release()
    {
        lock (Gate)
        {
            if (--_users > 0)
                return;
            Forget();
            Device.Dispose();
        }
    }

    private void Forget()
    {
        if (Open.TryGetValue(_key, out SharedDevice? current) && current == this)
            Open.Remove(_key);
    }
}
