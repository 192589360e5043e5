using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>An open Vulkan device: makes arenas and graphs, moves data. Several can be open at once. Methods are thread-safe.</summary>
public sealed class GpuDevice : IDisposable
{
    private readonly IKernelChooser _chooser;

    private GpuDevice(VulkanDevice vulkan, CacheFolder cache, IKernelChooser? chooser = null)
    {
        (Info, Vulkan, CacheNotice) = (vulkan.Info, vulkan, cache.Notice);
        _chooser = chooser ?? new KernelChoices(vulkan, cache.Path);
    }

    /// <summary>The facts of the device.</summary>
    public GpuInfo Info { get; }

    /// <summary>Which kernel variant runs each shape, by measurement.</summary>
    public KernelChoices Choices =>
        _chooser as KernelChoices
        ?? throw new InvalidOperationException(
            $"{Info.Name} is open to inspect kernels, and chooses none by measurement."
        );

    internal VulkanDevice Vulkan { get; }

    /// <summary>False where it only compiles: see <see cref="OpenToInspect"/>.</summary>
    internal bool Runs => Vulkan.Runs;

    /// <summary>A sentence where what is compiled and measured cannot be kept where it should; null where all is well.</summary>
    public string? CacheNotice { get; }

    /// <summary>Whether everything that was submitted has run.</summary>
    internal bool IsIdle => Vulkan.Queue.Idle;

    /// <summary>Bytes of device memory held now.</summary>
    public long AllocatedBytes => Vulkan.Memory.AllocatedBytes;

    /// <summary>The most bytes of device memory held at once.</summary>
    public long PeakAllocatedBytes => Vulkan.Memory.PeakBytes;

    /// <summary>Bytes of device memory still free, as far as the driver says.</summary>
    public long FreeBytes => Vulkan.Memory.FreeBytes();

    /// <summary>Every Vulkan device of the machine, suitable or not.</summary>
    /// <exception cref="GpuException">There is no Vulkan loader or driver.</exception>
    public static IReadOnlyList<GpuInfo> Enumerate() =>
        [.. PhysicalDevices.Enumerate(VulkanInstance.Current).Select(device => device.Info)];

    /// <summary>The facts of the device that <see cref="Open(string)"/> would open.</summary>
    /// <param name="selector">Its index, part of its name, or the start of its UUID; null for DEIT_DEVICE, and without
    /// it the best: discrete, then integrated, then CPU.</param>
    /// <exception cref="GpuException">No such device, or none at all.</exception>
    public static GpuInfo Find(string? selector = null) =>
        DeviceSelection.Find(
            Enumerate(),
            string.IsNullOrWhiteSpace(selector) ? Environment.GetEnvironmentVariable("DEIT_DEVICE") : selector
        );

    /// <summary>The facts of a device for <see cref="OpenToInspect"/>, which need not be able to run anything.</summary>
    /// <param name="selector">As of <see cref="Find"/>.</param>
    /// <exception cref="GpuException">No such device, or none at all.</exception>
    internal static GpuInfo FindToInspect(string? selector)
    {
        IReadOnlyList<GpuInfo> all = Enumerate();
        selector = string.IsNullOrWhiteSpace(selector) ? Environment.GetEnvironmentVariable("DEIT_DEVICE") : selector;
        // A device that somebody names may be unsuitable, where it has Vulkan 1.3 at all; otherwise only where all are.
        bool any = !string.IsNullOrWhiteSpace(selector) || all.All(info => info.Unsuitable is not null);
        GpuInfo found = DeviceSelection.Find(
            any ? [.. all.Select(info => info.SubgroupSize > 0 ? info with { Unsuitable = null } : info)] : all,
            selector
        );
        return all[found.Index];
    }

    /// <summary>Opens a device.</summary>
    /// <param name="selector">Its index, part of its name, or the start of its UUID; null for DEIT_DEVICE, and without
    /// it the best: discrete, then integrated, then CPU.</param>
    /// <exception cref="GpuException">No such device, or none at all.</exception>
    public static GpuDevice Open(string? selector = null) => Open(Find(selector));

    /// <summary>Opens the device of these facts.</summary>
    /// <param name="info">Facts from <see cref="Find"/> or <see cref="Enumerate"/>.</param>
    /// <exception cref="GpuException">The device is gone, or cannot be opened.</exception>
    public static GpuDevice Open(GpuInfo info)
    {
        CacheFolder cache = CacheFolder.For(info);
        return new GpuDevice(VulkanDevice.Open(info, cache.Path), cache);
    }

    /// <summary>
    /// Opens a device to inspect kernels. Where it cannot run any, because it is unsuitable or a card that is not there, it
    /// compiles them alone: then its memory is pretended, and graphs of it do nothing.
    /// </summary>
    /// <param name="info">Facts from <see cref="Find"/> or <see cref="Enumerate"/>.</param>
    /// <param name="chooser">Hears of all candidates.</param>
    /// <exception cref="GpuException">The device is gone, or cannot be opened.</exception>
    internal static GpuDevice OpenToInspect(GpuInfo info, IKernelChooser chooser)
    {
        CacheFolder cache = CacheFolder.For(info);
        return new GpuDevice(OpenWithFigures(info, cache.Path), cache, chooser);
    }

    private static VulkanDevice OpenWithFigures(GpuInfo info, string cacheFolder)
    {
        if (info.Unsuitable is null)
            try
            {
                return VulkanDevice.Open(info, cacheFolder, DeviceUse.Inspect);
            }
            catch (GpuException error) when (error.Reason is GpuErrorKind.Vulkan)
            {
                // A driver for a card that is not there says that it has a queue, and fails to make what a queue needs.
            }
        return VulkanDevice.Open(info, cacheFolder, DeviceUse.Compile);
    }

    /// <summary>Device memory that lives until disposed.</summary>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    public Arena CreateArena(string name, long byteLength) => new(Vulkan, name, byteLength);

    /// <summary>Host memory for inputs that are filled while the device computes.</summary>
    /// <exception cref="GpuException">There is not enough memory.</exception>
    public HostBuffer CreateHostBuffer(long byteLength) => new(Vulkan, byteLength);

    /// <summary>Records ops once into a graph that can be run many times.</summary>
    /// <param name="record">Calls the ops.</param>
    /// <param name="options">How memory is planned.</param>
    /// <exception cref="GpuException">The device has not enough memory or a limit is exceeded.</exception>
    public Graph Record(Action<Recorder> record, GraphOptions? options = null)
    {
        options ??= GraphOptions.Default;
        Recorder recorder = new(Info, _chooser, options);
        record(recorder);
        options.Fixed?.Write();
        return new Graph(Vulkan, recorder, options);
    }

    /// <summary>Weights that do not change, in the form that kernels read, for <see cref="GraphOptions.Fixed"/>.</summary>
    /// <param name="weights">A tensor of the <see cref="Arena"/> in which all of them lie.</param>
    /// <param name="mayRearrange">Whether the weights themselves may take the order in which kernels read them, which spares
    /// the memory of copies. Graphs that were recorded before must not run any more, and the host no longer reads the weights.</param>
    /// <exception cref="ArgumentException">It is a tensor of a graph.</exception>
    public FixedWeights CreateFixedWeights(Tensor weights, bool mayRearrange = false) =>
        new(
            Vulkan,
            weights.Storage.Buffer
                ?? throw new ArgumentException($"Forms of {weights}: expected a tensor of an arena.", nameof(weights)),
            record =>
            {
                using Graph writing = Record(record, new GraphOptions { Purpose = "laying out weights" });
                writing.Submit(); // whatever is submitted later comes after it, and the disposal waits
            },
            mayRearrange
        );

    /// <summary>Copies values to a tensor, in order with submitted work.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public void Write<T>(Tensor tensor, ReadOnlySpan<T> values)
        where T : unmanaged => Vulkan.Transfers.Write(tensor, values);

    /// <summary>Writes the state of a step for the graphs submitted from now on; those submitted before still see the old one.</summary>
    /// <exception cref="ArgumentException">The tensor is no step state.</exception>
    public void Write(Tensor stepState, StepState state) =>
        Write(StepState.Check(stepState), new ReadOnlySpan<StepState>(in state));

    /// <summary>Waits for submitted work and copies a tensor to the host.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public void Read<T>(Tensor tensor, Span<T> values)
        where T : unmanaged => Vulkan.Transfers.Read(tensor, values);

    /// <summary>Waits for submitted work and returns a tensor's values.</summary>
    public T[] Read<T>(Tensor tensor)
        where T : unmanaged => Vulkan.Transfers.Read<T>(tensor);

    /// <summary>Fills a tensor with a 32-bit pattern, in order with submitted work.</summary>
    public void Fill(Tensor tensor, uint pattern = 0) => Vulkan.Transfers.Fill(tensor, pattern);

    /// <summary>Waits until all submitted work has finished.</summary>
    public void WaitIdle() => Vulkan.Queue.WaitIdle();

    /// <summary>Starts <see cref="PeakAllocatedBytes"/> anew.</summary>
    public void ResetPeak() => Vulkan.Memory.ResetPeak();

    /// <summary>Waits for the device and closes it; arenas and graphs of it must not be used any more.</summary>
    public void Dispose() => Vulkan.Dispose();
}
