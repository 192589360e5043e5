using System.Globalization;

namespace Deit.Gpu;

/// <summary>Finds the device that a user names, or the best one.</summary>
internal static class DeviceSelection
{
    /// <summary>The device of a selector.</summary>
    /// <param name="all">Every device of the machine.</param>
    /// <param name="selector">Its index, part of its name, or the start of its UUID; null or blank for the best:
    /// discrete, then integrated, then CPU.</param>
    /// <exception cref="GpuException">There is no such device, or none that is suitable.</exception>
    public static GpuInfo Find(IReadOnlyList<GpuInfo> all, string? selector)
    {
        if (all.Count == 0)
            throw new GpuException(
                GpuErrorKind.NoDevice,
                "No Vulkan device was found; install the graphics driver, or on Debian and Ubuntu the CPU "
                    + "driver: apt-get install mesa-vulkan-drivers."
            );
        if (string.IsNullOrWhiteSpace(selector))
            return Best(all);
        selector = selector.Trim();
        return Named(all, selector) switch
        {
            [] => throw new GpuException(
                GpuErrorKind.NoDevice,
                $"Device '{selector}' was not found, there are: "
                    + $"{string.Join(", ", all.Select(d => $"{d.Index} = {d.Name}"))}; choose one by index, name or "
                    + "UUID."
            ),
            [{ Unsuitable: { } why } one, ..] => throw new GpuException(
                GpuErrorKind.NoDevice,
                $"Device '{selector}' ({one.Name}) cannot be used because {why}; choose another one or update the driver."
            ),
            [GpuInfo one, ..] => one,
        };
    }

    private static GpuInfo Best(IReadOnlyList<GpuInfo> all) =>
        all.Where(info => info.Unsuitable is null)
            .OrderBy(info => info.Type)
            .ThenByDescending(info => info.MemoryBytes)
            .ThenBy(info => info.Index)
            .FirstOrDefault()
        ?? throw new GpuException(
            GpuErrorKind.NoDevice,
            $"None of the {all.Count} Vulkan device(s) is suitable: "
                + $"{string.Join("; ", all.Select(d => $"{d.Name}: {d.Unsuitable}"))}; update the driver."
        );

    private static GpuInfo[] Named(IReadOnlyList<GpuInfo> all, string selector) =>
        int.TryParse(selector, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            ? [.. all.Where(info => info.Index == index)]
            : [.. all.Where(info => IsNamed(info, selector))];

    private static bool IsNamed(GpuInfo info, string selector) =>
        info.Name.Contains(selector, StringComparison.OrdinalIgnoreCase)
        || (
            selector.Length >= 4
            && info.Uuid.StartsWith(
                selector.Replace("-", "", StringComparison.Ordinal),
                StringComparison.OrdinalIgnoreCase
            )
        );
}
