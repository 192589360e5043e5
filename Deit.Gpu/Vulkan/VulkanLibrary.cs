using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Silk.NET.Core.Contexts;

namespace Deit.Gpu.Vulkan;

/// <summary>The Vulkan loader of the machine, whose exports Silk.NET calls.</summary>
/// <remarks>Silk.NET's own search also looks through the application's dependencies and beside its assemblies. Neither
/// exists in a single file. The operating system knows where its loader is.</remarks>
internal sealed class VulkanLibrary : INativeContext
{
    private readonly nint _handle;

    private VulkanLibrary(nint handle) => _handle = handle;

    private static IEnumerable<string> FileNames =>
        OperatingSystem.IsWindows() ? ["vulkan-1.dll"]
        : OperatingSystem.IsMacOS() ? ["libvulkan.1.dylib", "libMoltenVK.dylib"]
        : ["libvulkan.so.1", "libvulkan.so"];

    /// <summary>Loads it from where the operating system looks for libraries.</summary>
    /// <exception cref="GpuException">There is none.</exception>
    public static VulkanLibrary Load()
    {
        VectorWidth.Apply();
        foreach (string name in FileNames)
            if (NativeLibrary.TryLoad(name, out nint handle))
                return new VulkanLibrary(handle);
        throw new GpuException(
            GpuErrorKind.NoDevice,
            "No Vulkan loader was found on this machine; install the graphics driver, or on Debian and Ubuntu: "
                + "apt-get install libvulkan1 mesa-vulkan-drivers."
        );
    }

    /// <summary>The Vulkan version of the loader; null where it is older than the question, before 1.1.</summary>
    public unsafe string? Version()
    {
        if (!TryGetProcAddress("vkEnumerateInstanceVersion", out nint function))
            return null;
        uint version = 0;
        int result = ((delegate* unmanaged<uint*, int>)function)(&version);
        return result == 0 ? VulkanInstance.VersionText(version) : null;
    }

    /// <summary>The file that the operating system found; null where it does not say.</summary>
    public static string? File()
    {
        try
        {
            using Process self = Process.GetCurrentProcess();
            return self
                .Modules.Cast<ProcessModule>()
                .Select(module => module.FileName)
                .FirstOrDefault(file => IsLoader(Path.GetFileName(file)));
        }
        catch (Exception error)
            when (error is InvalidOperationException or NotSupportedException or Win32Exception or IOException)
        {
            return null;
        }
    }

    private static bool IsLoader(string name) =>
        name.StartsWith("libvulkan.", StringComparison.Ordinal)
        || name.StartsWith("libMoltenVK.", StringComparison.Ordinal)
        || name.Equals("vulkan-1.dll", StringComparison.OrdinalIgnoreCase);

    public nint GetProcAddress(string proc, int? slot = null) => NativeLibrary.GetExport(_handle, proc);

    public bool TryGetProcAddress(string proc, out nint addr, int? slot = null) =>
        NativeLibrary.TryGetExport(_handle, proc, out addr);

    /// <summary>Does nothing: the process keeps its loader, as its instance does.</summary>
    public void Dispose() { }
}
