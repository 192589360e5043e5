using Deit.Bench.Reports;
using Deit.Model;
using Deit.Train.Options;

namespace Deit.Cli.Commands;

/// <summary>The options of <c>deit tune</c>.</summary>
internal sealed record TuneOptions
{
    [Flag("model by name", Value = "MODEL")]
    public string Model { get; set; } = "deit_tiny_patch16_224";

    [Flag("the step whose kernels are measured", Choices = [ModelRow.Infer, ModelRow.Train])]
    public string Task { get; set; } = ModelRow.Infer;

    [Flag("images a step; sizes up to twice as large share the choices")]
    public int BatchSize { get; set; } = 1;

    [PrecisionFlag("arithmetic")]
    public string Precision { get; set; } = "fp32";

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
