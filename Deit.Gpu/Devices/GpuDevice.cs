using System.Globalization;
using System.Runtime.InteropServices;
using CommunityToolkit.HighPerformance;
using Deit.Gpu.Vulkan;
using PhysicalDevice = Silk.NET.Vulkan.PhysicalDevice;

namespace Deit.Gpu;

/// <summary>An open Vulkan device: makes arenas and graphs, moves data. Several can be open at once. Methods are thread-safe.</summary>
public sealed class GpuDevice : IDisposable
{
    private GpuDevice(VulkanInstance instance, PhysicalDevice physical, GpuInfo info)
    {
        Info = info;
        Vulkan = new VulkanDevice(instance, physical, info, CacheFolder.For(info));
        Choices = new KernelChoices(this, CacheFolder.For(info));
    }

    /// <summary>The facts of the device.</summary>
    public GpuInfo Info { get; }

    /// <summary>Which kernel variant runs each shape, by measurement.</summary>
    public KernelChoices Choices { get; }

    internal VulkanDevice Vulkan { get; }

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
    /// <param name="selector">Its index, part of its name, or the start of its UUID; null for DEIT_DEVICE, and without it the best: discrete, then integrated, then CPU.</param>
    /// <exception cref="GpuException">No such device, or none at all.</exception>
    public static GpuInfo Find(string? selector = null)
    {
        if (string.IsNullOrWhiteSpace(selector))
            selector = Environment.GetEnvironmentVariable("DEIT_DEVICE");
        return Select(PhysicalDevices.Enumerate(VulkanInstance.Current), selector).Info;
    }

    /// <summary>Opens a device.</summary>
    /// <param name="selector">Its index, part of its name, or the start of its UUID; null for DEIT_DEVICE, and without it the best: discrete, then integrated, then CPU.</param>
    /// <exception cref="GpuException">No such device, or none at all.</exception>
    public static GpuDevice Open(string? selector = null) => Open(Find(selector));

    /// <summary>Opens the device of these facts.</summary>
    /// <param name="info">What <see cref="Find"/> or <see cref="Enumerate"/> told.</param>
    /// <exception cref="GpuException">The device is gone, or cannot be opened.</exception>
    public static GpuDevice Open(GpuInfo info)
    {
        VulkanInstance instance = VulkanInstance.Current;
        PhysicalDevice[] handles = PhysicalDevices.Handles(instance);
        if (info.Index >= handles.Length)
            throw new GpuException(
                GpuErrorKind.NoDevice,
                $"Device {info.Index} ({info.Name}) is gone: there are {handles.Length} now; choose another one."
            );
        return new GpuDevice(instance, handles[info.Index], info);
    }

    private static (PhysicalDevice Handle, GpuInfo Info) Select(
        (PhysicalDevice Handle, GpuInfo Info)[] all,
        string? selector
    )
    {
        if (all.Length == 0)
            throw new GpuException(
                GpuErrorKind.NoDevice,
                "No Vulkan device was found; install the graphics driver, or on Debian and Ubuntu the CPU driver: apt-get install mesa-vulkan-drivers."
            );
        if (string.IsNullOrWhiteSpace(selector))
        {
            (PhysicalDevice, GpuInfo Info)[] suitable =
            [
                .. all.Where(d => d.Info.Unsuitable is null)
                    .OrderBy(d => d.Info.Type)
                    .ThenByDescending(d => d.Info.MemoryBytes)
                    .ThenBy(d => d.Info.Index),
            ];
            return suitable.Length > 0
                ? suitable[0]
                : throw new GpuException(
                    GpuErrorKind.NoDevice,
                    $"None of the {all.Length} Vulkan device(s) is suitable: {string.Join("; ", all.Select(d => $"{d.Info.Name}: {d.Info.Unsuitable}"))}; update the driver."
                );
        }
        selector = selector.Trim();
        (PhysicalDevice, GpuInfo Info)[] found = int.TryParse(
            selector,
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out int index
        )
            ? [.. all.Where(d => d.Info.Index == index)]
            :
            [
                .. all.Where(d =>
                    d.Info.Name.Contains(selector, StringComparison.OrdinalIgnoreCase)
                    || (
                        selector.Length >= 4
                        && d.Info.Uuid.StartsWith(
                            selector.Replace("-", "", StringComparison.Ordinal),
                            StringComparison.OrdinalIgnoreCase
                        )
                    )
                ),
            ];
        return found switch
        {
            [] => throw new GpuException(
                GpuErrorKind.NoDevice,
                $"Device '{selector}' was not found, there are: {string.Join(", ", all.Select(d => $"{d.Info.Index} = {d.Info.Name}"))}; choose one by index, name or UUID."
            ),
            [var one, ..] when one.Info.Unsuitable is { } why => throw new GpuException(
                GpuErrorKind.NoDevice,
                $"Device '{selector}' ({one.Info.Name}) cannot be used because {why}; choose another one or update the driver."
            ),
            [var one, ..] => one,
        };
    }

    /// <summary>Device memory that lives until disposed.</summary>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    public Arena CreateArena(string name, long byteLength) => new(this, name, byteLength);

    /// <summary>Host memory for inputs that are filled while the device computes.</summary>
    /// <exception cref="GpuException">There is not enough memory.</exception>
    public HostBuffer CreateHostBuffer(long byteLength) => new(this, byteLength);

    /// <summary>Records ops once into a graph that can be run many times.</summary>
    /// <param name="record">Calls the ops.</param>
    /// <param name="options">How memory is planned.</param>
    /// <exception cref="GpuException">The device has not enough memory or a limit is exceeded.</exception>
    public Graph Record(Action<Recorder> record, GraphOptions? options = null)
    {
        options ??= GraphOptions.Default;
        Recorder recorder = new(Info, Choices, options);
        record(recorder);
        return new Graph(this, recorder, options);
    }

    /// <summary>Copies values to a tensor, in order with submitted work.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public void Write<T>(Tensor tensor, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = values.AsBytes();
        CheckLength(tensor, bytes.Length);
        Vulkan.Transfers.Write(BufferOf(tensor), tensor.Storage.ByteOffset + tensor.ByteOffset, bytes);
    }

    /// <summary>Waits for submitted work and copies a tensor to the host.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public void Read<T>(Tensor tensor, Span<T> values)
        where T : unmanaged
    {
        Span<byte> bytes = values.AsBytes();
        CheckLength(tensor, bytes.Length);
        Vulkan.Transfers.Read(BufferOf(tensor), tensor.Storage.ByteOffset + tensor.ByteOffset, bytes);
    }

    /// <summary>Waits for submitted work and returns a tensor's values.</summary>
    public T[] Read<T>(Tensor tensor)
        where T : unmanaged
    {
        T[] values = new T[tensor.ByteLength / Marshal.SizeOf<T>()];
        Read(tensor, values.AsSpan());
        return values;
    }

    /// <summary>Fills a tensor with a 32-bit pattern, in order with submitted work.</summary>
    public void Fill(Tensor tensor, uint pattern = 0) =>
        Vulkan.Transfers.Fill(
            BufferOf(tensor),
            tensor.Storage.ByteOffset + tensor.ByteOffset,
            tensor.ByteLength + 3 & ~3L,
            pattern
        );

    /// <summary>Waits until all submitted work has finished.</summary>
    public void WaitIdle() => Vulkan.Queue.WaitIdle();

    /// <summary>Starts <see cref="PeakAllocatedBytes"/> anew.</summary>
    public void ResetPeak() => Vulkan.Memory.ResetPeak();

    /// <summary>Waits for the device and closes it; arenas and graphs of it must not be used any more.</summary>
    public void Dispose() => Vulkan.Dispose();

    internal static DeviceBuffer BufferOf(Tensor tensor) =>
        tensor.Storage.Buffer
        ?? throw new InvalidOperationException(
            $"{tensor} lives inside a graph that is not built yet; read it after GpuDevice.Record."
        );

    private static void CheckLength(Tensor tensor, long bytes)
    {
        if (bytes != tensor.ByteLength)
            throw new ArgumentException($"Copying {bytes} bytes to or from {tensor}, expected {tensor.ByteLength}.");
    }
}
