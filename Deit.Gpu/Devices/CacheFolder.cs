namespace Deit.Gpu;

/// <summary>
/// The folder where compiled pipelines and measured kernel choices are kept between runs: <c>DEIT_CACHE</c>, or the
/// user's cache folder.
/// </summary>
internal static class CacheFolder
{
    /// <summary>The folder of a device under one build of its driver.</summary>
    public static string For(GpuInfo info)
    {
        string root =
            Environment.GetEnvironmentVariable("DEIT_CACHE") is { Length: > 0 } chosen ? chosen
            : OperatingSystem.IsWindows()
                ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "deit")
            : Path.Combine(
                Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache
                    ? cache
                    : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
                "deit"
            );
        return Path.Combine(root, $"{info.Uuid}-{info.DriverUuid}");
    }

    /// <summary>Writes a file as a whole or not at all. A cache that cannot be written is no error.</summary>
    public static void TryWrite(string path, ReadOnlySpan<byte> data)
    {
        string temporary = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(temporary, data);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            try
            {
                File.Delete(temporary);
            }
            catch (Exception inner) when (inner is IOException or UnauthorizedAccessException)
            {
                // The temporary file cannot be removed, and there is nothing more to clean up.
            }
        }
    }
}
