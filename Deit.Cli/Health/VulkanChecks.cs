using Deit.Bench.Reports;
using Deit.Gpu;
using Deit.Gpu.Vulkan;

namespace Deit.Cli.Health;

/// <summary>Looks at the way from the Vulkan loader to a device that computes rightly.</summary>
internal static class VulkanChecks
{
    private const string Area = "vulkan",
        Device = "device";

    /// <summary>The loader: which file, which version.</summary>
    public static Finding Loader()
    {
        try
        {
            using VulkanLibrary library = VulkanLibrary.Load();
            return Loader(VulkanLibrary.File(), library.Version());
        }
        catch (GpuException error)
        {
            return Split(Area, "loader", error);
        }
    }

    /// <summary>What a loader of such a version is worth.</summary>
    internal static Finding Loader(string? file, string? version)
    {
        Dictionary<string, object?> facts = new() { ["file"] = file, ["version"] = version };
        string value = $"{version ?? "1.0"}, {file ?? "a file that the system does not name"}";
        return System.Version.TryParse(version, out Version? known) && known >= new Version(1, 3)
            ? Finding.Ok(Area, "loader", value, facts)
            : new Finding(
                Area,
                "loader",
                FindingState.Wrong,
                $"{value}; Deit needs 1.3",
                "update the graphics driver, or the package libvulkan1",
                facts
            );
    }

    /// <summary>The files by which drivers announce themselves.</summary>
    public static IEnumerable<Finding> Manifests(IReadOnlyList<DriverManifest> manifests)
    {
        if (manifests.Count == 0 && !OperatingSystem.IsWindows())
            yield return new Finding(
                Area,
                "driver",
                FindingState.Wrong,
                "no file announces a driver",
                "install the graphics driver; for the processor alone, on Debian and Ubuntu: apt-get install mesa-vulkan-drivers"
            );
        bool anyWorks = manifests.Any(manifest => manifest.Fault is null);
        foreach (DriverManifest manifest in manifests)
        {
            string by = manifest.Variable is { } variable ? $" (by {variable})" : "";
            Dictionary<string, object?> facts = new() { ["file"] = manifest.Path, ["variable"] = manifest.Variable };
            yield return manifest.Fault is null
                ? Finding.Ok(Area, "driver", $"{manifest.Path}{by}", facts)
                : new Finding(
                    Area,
                    "driver",
                    // Drivers of another architecture lie there, too, and do no harm.
                    manifest.Variable
                        is null
                    && anyWorks
                        ? FindingState.Notice
                        : FindingState.Wrong,
                    $"{manifest.Fault}{by}",
                    manifest.Variable is { } named
                        ? $"correct or unset {named}"
                        : "install that driver again, or remove the file",
                    facts
                );
        }
    }

    /// <summary>All devices, and whether each can be used.</summary>
    public static IEnumerable<Finding> Devices(
        Func<IReadOnlyList<GpuInfo>> enumerate,
        out IReadOnlyList<GpuInfo> devices
    )
    {
        devices = [];
        try
        {
            devices = enumerate();
        }
        catch (GpuException error)
        {
            return [Split(Device, "devices", error)];
        }
        return devices.Count == 0
            ?
            [
                new Finding(
                    Device,
                    "devices",
                    FindingState.Wrong,
                    "the drivers offer no device",
                    "install the driver of the card; in a container, pass the card in"
                ),
            ]
            : [.. devices.Select(One)];
    }

    /// <summary>The device that commands take, and a short computation on it that is compared with the processor's.</summary>
    public static IEnumerable<Finding> Chosen(
        IReadOnlyList<GpuInfo> devices,
        string? selector,
        Func<GpuInfo, string?> compute
    )
    {
        GpuInfo chosen;
        try
        {
            chosen = DeviceSelection.Find(devices, selector);
        }
        catch (GpuException error)
        {
            return [Split(Device, "chosen", error)];
        }
        Dictionary<string, object?> facts = new() { ["index"] = chosen.Index, ["uuid"] = chosen.Uuid };
        string value = $"{chosen.Index}, {chosen.Name}";
        bool isSlow = chosen.Type == GpuType.Cpu;
        Finding choice = isSlow
            ? new Finding(
                Device,
                "chosen",
                FindingState.Notice,
                $"{value}: the processor, good for trying out and slow for training",
                "where there is a graphics card, install its driver",
                facts
            )
            : Finding.Ok(Device, "chosen", value, facts);
        return [choice, Computation(chosen, compute)];
    }

    private static Finding Computation(GpuInfo device, Func<GpuInfo, string?> compute)
    {
        try
        {
            return compute(device) is { } fault
                ? new Finding(
                    Device,
                    "computation",
                    FindingState.Wrong,
                    $"{device.Name} computes wrongly: {fault}",
                    "update the driver, or choose another device with --device or DEIT_DEVICE"
                )
                : Finding.Ok(Device, "computation", "a layer's answers are those of the processor");
        }
        catch (GpuException error)
        {
            return Split(Device, "computation", error);
        }
    }

    private static Finding One(GpuInfo device)
    {
        Dictionary<string, object?> facts = new()
        {
            ["index"] = device.Index,
            ["name"] = device.Name,
            ["type"] = device.Type.ToString().ToLowerInvariant(),
            ["driver"] = device.Driver,
            ["vulkan"] = device.ApiVersion,
            ["memory_bytes"] = device.MemoryBytes,
            ["types"] = DeviceFeatures.Types(device),
            ["matrix_units"] = device.MatrixShapes.Select(shape => shape.ToString()).ToArray(),
            ["unsuitable"] = device.Unsuitable,
        };
        string value = FormattableString.Invariant(
            $"{device.Index}, {device.Name} ({device.Type.ToString().ToLowerInvariant()}), {device.Driver}, Vulkan {device.ApiVersion}, "
        );
        value += FormattableString.Invariant($"{device.MemoryBytes / (double)(1 << 30):0.0} GiB; ");
        value += $"{DeviceFeatures.Types(device)}; matrix units: {(device.MatrixShapes.Count == 0 ? "none" : "yes")}";
        return device.Unsuitable is { } why
            ? new Finding(
                Device,
                "devices",
                FindingState.Wrong,
                $"{value}; cannot be used because {why}",
                "update its driver",
                facts
            )
            : Finding.Ok(Device, "devices", value, facts);
    }

    // Sentences of the GPU layer have the remedy behind their semicolon.
    private static Finding Split(string area, string name, GpuException error)
    {
        string[] parts = error.Message.TrimEnd('.').Split("; ", 2);
        return new Finding(area, name, FindingState.Wrong, parts[0], parts.Length > 1 ? parts[1] : null);
    }
}
