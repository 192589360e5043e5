using Deit.Bench.Reports;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Bench.Suites;

/// <summary>The options of <c>deit bench infer</c> and <c>deit bench train</c>.</summary>
internal sealed record ModelBenchOptions
{
    [Flag("models by name; without it Ti, S and B of 224 pixels, on a CPU driver Ti alone", Value = "MODEL...")]
    public string[] Models { get; set; } = [];

    [Flag("width of a free DeiT (with --depth and --num-heads)")]
    public int? EmbedDim { get; set; }

    [Flag("blocks of a free DeiT")]
    public int? Depth { get; set; }

    [Flag("attention heads of a free DeiT")]
    public int? NumHeads { get; set; }

    [Flag("patch side of a free DeiT in pixels")]
    public int? PatchSize { get; set; }

    [Flag("input of a free DeiT in pixels, a side or HEIGHTxWIDTH")]
    public ImageSize? InputSize { get; set; }

    [Flag("images a step; 0 is the largest of 256, 128, ... that fits; without it 0, on a CPU driver 1 and 8")]
    public int[] BatchSizes { get; set; } = [];

    [PrecisionFlag("arithmetics; without it all of a card, fp32 alone of a CPU driver", Value = "NAME...")]
    public string[] Precisions { get; set; } = [];

    [Flag("seconds of running before anything counts; one step at least")]
    public double WarmUp { get; set; } = 1;

    [Flag("seconds to measure a row for; one step a repetition at least")]
    public double Seconds { get; set; } = 3;

    [Flag(
        "into how many times the seconds are cut: the median of them is given, and how far their quartiles lie apart"
    )]
    public int Repetitions { get; set; } = 7;

    [Flag(
        "infer only: command of another program to measure in turn and compare with, such as bench/Experiments/onnxruntime",
        Value = "COMMAND"
    )]
    public string? Peer { get; set; }

    [Flag("with --peer: how often both are measured; the medians are compared")]
    public int Rounds { get; set; } = 3;

    [FlagGroup("Several devices")]
    public RankBenchOptions Ranks { get; init; } = new();

    [FlagGroup("Device")]
    public DeviceOptions Device { get; init; } = new();

    /// <summary>The arithmetics to measure on a device in a task.</summary>
    public IReadOnlyList<string> On(GpuInfo info, string task) =>
        Precisions.Length > 0 ? Precisions
        : info.Type == GpuType.Cpu ? ["fp32"]
        : [.. Precision.Names.Where(name => task == ModelRow.Infer || Precision.Parse(name).Trains)];

    public Pace Pace => new(WarmUp, Seconds, Repetitions);

    /// <exception cref="DeitException">An option is out of its range.</exception>
    public void Validate()
    {
        if (BatchSizes.FirstOrDefault(batch => batch is < 0 or > 4096) is not 0 and int wrong)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--batch-sizes has {wrong}, expected 1 to 4096, or 0 for the largest that fits."
            );
        if (!(WarmUp >= 0 && double.IsFinite(WarmUp)))
            throw new DeitException(DeitErrorKind.Usage, $"--warm-up is {WarmUp}, expected 0 or more seconds.");
        if (!(Seconds > 0 && double.IsFinite(Seconds)))
            throw new DeitException(DeitErrorKind.Usage, $"--seconds is {Seconds}, expected more than 0.");
        if (Rounds is < 1 or > 1000)
            throw new DeitException(DeitErrorKind.Usage, $"--rounds is {Rounds}, expected 1 to 1000.");
        if (Repetitions is < 1 or > 10_000)
            throw new DeitException(DeitErrorKind.Usage, $"--repetitions is {Repetitions}, expected 1 to 10000.");
        Ranks.Training.Validate();
        if (Models.Length > 0 && (EmbedDim ?? Depth ?? NumHeads) is not null)
            throw new DeitException(
                DeitErrorKind.Usage,
                "--models names DeiT and --embed-dim, --depth and --num-heads describe one; give one or the other."
            );
        if ((EmbedDim ?? Depth ?? NumHeads) is null && (PatchSize is not null || InputSize is not null))
            throw new DeitException(
                DeitErrorKind.Usage,
                "--patch-size and --input-size belong to a free DeiT; give --embed-dim, --depth and --num-heads with them, or neither."
            );
    }

    /// <summary>The DeiT to measure, each by its name.</summary>
    /// <param name="cpu">True on a CPU driver.</param>
    /// <exception cref="DeitException">A name or a configuration is none of a DeiT.</exception>
    public IReadOnlyList<(string Name, NetworkConfig Config)> Configs(bool cpu)
    {
        const int Classes = 1000;
        if ((EmbedDim ?? Depth ?? NumHeads) is not null)
        {
            ModelOptions free = new()
            {
                EmbedDim = EmbedDim,
                Depth = Depth,
                NumHeads = NumHeads,
                PatchSize = PatchSize,
                InputSize = InputSize,
            };
            DeitConfig config = (DeitConfig)free.Config(Classes);
            return
            [
                (
                    $"deit_{config.EmbedDim}_{config.Depth}_{config.NumHeads}_patch{config.PatchSize}_{config.InputSize}",
                    config
                ),
            ];
        }
        string[] names =
            Models.Length > 0 ? Models
            : cpu ? ["deit_tiny_patch16_224"]
            : ["deit_tiny_patch16_224", "deit_small_patch16_224", "deit_base_patch16_224"];
        return [.. names.Select(name => (name, NetworkFamilies.Find(name)))];
    }

    /// <summary>The batches to measure; 0 for the largest.</summary>
    /// <param name="cpu">True on a CPU driver.</param>
    public IReadOnlyList<int> Batches(bool cpu) =>
        BatchSizes.Length > 0 ? BatchSizes
        : cpu ? [1, 8]
        : [0];
}
