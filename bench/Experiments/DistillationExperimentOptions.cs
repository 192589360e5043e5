using Deit.Train.Options;

namespace Deit.Bench.Experiments;

/// <summary>The options of <c>deit bench distillation</c>.</summary>
internal sealed record DistillationExperimentOptions
{
    [Flag("pictures, as for deit train", Value = "DIR")]
    public string? Data { get; set; }

    [Flag(
        "folder for the runs and the tables; a run that is there is gone on with, or taken as it is when it is done",
        Value = "DIR"
    )]
    public string Output { get; set; } = "runs/distillation";

    [Flag("recipe of the teacher, which should describe a RegNetY", Value = "RECIPE")]
    public string Teacher { get; set; } = "distillation-teacher";

    [Flag("recipe of the students", Value = "RECIPE")]
    public string Student { get; set; } = "distillation-student";

    [Flag("students of each kind, of seeds 0, 1, ...")]
    public int Seeds { get; set; } = 3;

    [Flag(
        "splits that the last weights are evaluated on, as one set: val, or val test where there are both",
        Value = "SPLIT..."
    )]
    public string[] Splits { get; set; } = ["val"];

    [Flag("share of each class kept for validation when DIR has no val folder")]
    public double ValFraction { get; set; } = 0.1;

    [FlagGroup("Device")]
    public DeviceOptions Device { get; init; } = new();
}
