using Deit.Bench.Reports;
using Deit.Model;
using Deit.Train.Options;

namespace Deit.Bench.Suites;

/// <summary>The options of <c>deit bench kernels</c>.</summary>
internal sealed record KernelBenchOptions
{
    [Flag("model by name", Value = "MODEL")]
    public string Model { get; set; } = "deit_base_patch16_224";

    [Flag("the step whose kernels are compiled; without it both", Choices = [ModelRow.Infer, ModelRow.Train])]
    public string? Task { get; set; }

    [Flag("images a step; without it 64, on a CPU driver 1")]
    public int? BatchSize { get; set; }

    [PrecisionFlag("arithmetics; without it fp32 and those of 16 bits that the device has")]
    public string[] Precisions { get; set; } = [];

    [FlagGroup("Device")]
    public DeviceOptions Device { get; init; } = new();

    /// <exception cref="DeitException">An option is out of its range, or there is no model of that name.</exception>
    public NetworkConfig Config()
    {
        if (BatchSize is < 1 or > 4096)
            throw new DeitException(DeitErrorKind.Usage, $"--batch-size is {BatchSize}, expected 1 to 4096.");
        return NetworkFamilies.Find(Model);
    }
}
