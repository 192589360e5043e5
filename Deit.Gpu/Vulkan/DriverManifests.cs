using System.Runtime.InteropServices;
using System.Text.Json;

namespace Deit.Gpu.Vulkan;

/// <summary>
/// The files by which drivers announce themselves to the Vulkan loader. The loader passes over one that it cannot use and
/// does not say why. This class finds the reason.
/// </summary>
internal static class DriverManifests
{
    // The second name is that of loaders before 1.3.207.
    private static readonly string[] Variables = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

    private static readonly string[] Roots = ["/etc", "/etc/xdg", "/usr/local/share", "/usr/share"];

    /// <summary>The manifests that the loader reads, and what is wrong with each.</summary>
    public static IReadOnlyList<DriverManifest> All()
    {
        foreach (string variable in Variables)
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } list)
                return
                [
                    .. list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                        .SelectMany(Files)
                        .Select(path => new DriverManifest(path, variable, Fault(path))),
                ];
        return [.. Installed().Select(path => new DriverManifest(path, null, Fault(path)))];
    }

    /// <summary>What is wrong with the first manifest that names no usable driver, with the remedy; null where none is wrong.</summary>
    public static string? Fault()
    {
        foreach (string variable in Variables)
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } list)
                return list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                    .SelectMany(Files)
                    .Select(path => Fault(path) is { } fault ? $"{variable} names {fault}; correct or unset it" : null)
                    .FirstOrDefault(fault => fault is not null);
        return Installed()
            .Select(path =>
                Fault(path) is { } fault ? $"it has {fault}; install that driver again or remove the file" : null
            )
            .FirstOrDefault(fault => fault is not null);
    }

    /// <summary>What is wrong with a manifest; null where nothing is.</summary>
    /// <param name="path">The file.</param>
    internal static string? Fault(string path)
    {
        if (!File.Exists(path))
            return $"'{path}', which does not exist";
        try
        {
            using JsonDocument manifest = JsonDocument.Parse(File.ReadAllText(path));
            string library = manifest.RootElement.GetProperty("ICD").GetProperty("library_path").GetString()!;
            return IsLibrary(library, Path.GetDirectoryName(Path.GetFullPath(path))!)
                ? null
                : $"'{path}', whose library '{library}' is missing or cannot be loaded";
        }
        catch (JsonException)
        {
            return $"'{path}', which is no JSON";
        }
        catch (Exception error)
            when (error is KeyNotFoundException or InvalidOperationException or ArgumentNullException)
        {
            return $"'{path}', which names no library";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return $"'{path}', which cannot be read";
        }
    }

    // A name with a slash is a path from the manifest's folder; without one the system looks for it.
    private static bool IsLibrary(string library, string folder)
    {
        string name = library.AsSpan().ContainsAny('/', '\\') ? Path.Combine(folder, library) : library;
        if (!NativeLibrary.TryLoad(name, out nint handle))
            return false;
        NativeLibrary.Free(handle);
        return true;
    }

    private static IEnumerable<string> Files(string path) =>
        Directory.Exists(path) ? Directory.EnumerateFiles(path, "*.json").Order(StringComparer.Ordinal) : [path];

    // Windows keeps them in the registry.
    private static IEnumerable<string> Installed() =>
        OperatingSystem.IsWindows()
            ? []
            : Own()
                .Concat(Roots)
                .Select(root => Path.Combine(root, "vulkan", "icd.d"))
                .Where(Directory.Exists)
                .SelectMany(Files);

    private static IEnumerable<string> Own()
    {
        string home = Environment.GetFolderPath(
            Environment.SpecialFolder.UserProfile,
            Environment.SpecialFolderOption.DoNotVerify
        );
        yield return Set("XDG_CONFIG_HOME") ?? Path.Combine(home, ".config");
        yield return Set("XDG_DATA_HOME") ?? Path.Combine(home, ".local", "share");

        static string? Set(string name) =>
            Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
    }
}

/// <summary>A file by which a driver announces itself.</summary>
/// <param name="Path">The file.</param>
/// <param name="Variable">The environment variable that names it; null where the loader finds it by itself.</param>
/// <param name="Fault">What is wrong with it, as <c>'FILE', which ...</c>; null where nothing is.</param>
internal sealed record DriverManifest(string Path, string? Variable, string? Fault);
