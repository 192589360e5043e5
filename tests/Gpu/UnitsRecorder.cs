using Deit.Gpu;

namespace Deit.Tests.Gpu;

/// <summary>
/// Records for a device with matrix units, even where the device of the tests has none. The recording is looked at and
/// never run.
/// </summary>
internal static class UnitsRecorder
{
    private sealed class First : IKernelChooser
    {
        public string Choose(string key, IReadOnlyList<KernelCandidate> candidates, KernelTrial trial) =>
            candidates[0].Name;
    }

    /// <summary>A recorder that takes the first candidate of each choice.</summary>
    public static Recorder Create() =>
        new(
            TestDevice.Current.Info with
            {
                Type = GpuType.Cpu,
                SubgroupSize = 8,
                SharedMemoryBytes = 48 << 10,
                MaxWorkgroupSize = 1024,
                MatrixShapes = [new(8, 8, 8, "f16", "f32", "subgroup"), new(8, 8, 8, "bf16", "f32", "subgroup")],
            },
            new First(),
            GraphOptions.Default
        );

    /// <summary>The kernels of the products in the scope of a name, in order.</summary>
    public static IEnumerable<string> Products(Recorder r, string name) =>
        r
            .Dispatches.Where(dispatch =>
                dispatch.Label.StartsWith(name, StringComparison.Ordinal)
                && dispatch.Kernel.Name.StartsWith("matmul", StringComparison.Ordinal)
            )
            .Select(dispatch => dispatch.Kernel.Name);
}
