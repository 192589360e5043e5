using Deit.Bench.Reports;
using Deit.Model;
using Deit.Train.Options;

namespace Deit.Bench.Suites;

/// <summary>The options of <c>deit bench profile</c>.</summary>
internal sealed record ProfileOptions
{
    [Flag("model by name", Value = "MODEL")]
    public string Model { get; set; } = "deit_tiny_patch16_224";

    [Flag("the step", Choices = [ModelRow.Infer, ModelRow.Train])]
    public string Task { get; set; } = ModelRow.Train;

    [Flag("images a step; 0 is the largest of 256, 128, ... that fits; without it 0, on a CPU driver 1")]
    public int? BatchSize { get; set; }

    [PrecisionFlag("arithmetic")]
    public string Precision { get; set; } = "fp32";

    [Flag("write the table to a file, too", Value = "FILE")]
    public string? Markdown { get; set; }

    [FlagGroup("Device")]
    public DeviceOptions Device { get; init; } = new();

    /// <exception cref="DeitException">An option is out of its range, or there is no model of that name.</exception>
    public NetworkConfig Config()
    {
        if (BatchSize is < 0 or > 4096)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--batch-size is {BatchSize}, expected 1 to 4096, or 0 for the largest that fits."
            );
        return NetworkFamilies.Find(Model);
    }
}
