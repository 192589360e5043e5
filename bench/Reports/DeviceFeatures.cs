using Deit.Gpu;

namespace Deit.Bench.Reports;

/// <summary>The features of a device that decide how fast it can be, in words.</summary>
internal static class DeviceFeatures
{
    /// <summary>The element types.</summary>
    public static string Types(GpuInfo device)
    {
        List<string> types = ["f32"];
        if (device.Float16)
            types.Add("f16 arithmetic");
        if (device.Storage16)
            types.Add("16-bit storage");
        if (device.BFloat16)
            types.Add("bf16");
        return string.Join(", ", types);
    }

    /// <summary>The shapes that the matrix units multiply.</summary>
    public static string MatrixUnits(GpuInfo device) =>
        device.MatrixShapes.Count == 0 ? "none" : string.Join(", ", device.MatrixShapes);

    /// <summary>Both in one line.</summary>
    public static string Line(GpuInfo device) => $"{Types(device)}; matrix units: {MatrixUnits(device)}";

    /// <summary>The host's processor, as <c>2 threads of AMD EPYC 7B13</c>; the name is known on Linux alone.</summary>
    public static string Processor()
    {
        string? name = null;
        try
        {
            name = File.ReadLines("/proc/cpuinfo")
                .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
                ?.Split(':', 2)[1]
                .Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The system is another one, or it hides the file.
        }
        return $"{Environment.ProcessorCount} threads of {name ?? "an unnamed processor"}";
    }
}
