using System.Text.Json;
using System.Text.Json.Serialization;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Checkpoints;
using Deit.Train.Data;

namespace Deit.Train;

/// <summary>What a training is asked to do. Names and defaults are those of the reference's main.py where it has them.</summary>
internal sealed record TrainOptions
{
    [Flag("folder with DIR/{train,val}/<class>/* or DIR/<class>/*")]
    public string? Data { get; set; }

    [Flag("reference model: deit_{tiny,small,base}[_distilled]_patch16_224, deit_base[_distilled]_patch16_384")]
    public string Model { get; set; } = "deit_tiny_patch16_224";

    [Flag("width of a free configuration (with --depth and --num-heads)")]
    public int? EmbedDim { get; set; }

    [Flag("blocks of a free configuration")]
    public int? Depth { get; set; }

    [Flag("attention heads of a free configuration")]
    public int? NumHeads { get; set; }

    [Flag("patch side in pixels")]
    public int? PatchSize { get; set; }

    [Flag("add the distillation token")]
    public bool Distilled { get; set; }

    [Flag("side of the input in pixels; the model's own without it")]
    public int? InputSize { get; set; }

    [Flag("passes over the training images")]
    public int Epochs { get; set; } = 300;

    [Flag("images a step")]
    public int BatchSize { get; set; } = 64;

    [Flag("base learning rate; multiplied by batch size / 512")]
    public double Lr { get; set; } = 5e-4;

    [Flag("learning rate at the end, not multiplied")]
    public double MinLr { get; set; } = 1e-5;

    [Flag("learning rate of the first epoch, not multiplied")]
    public double WarmupLr { get; set; } = 1e-6;

    [Flag("epochs of linear warm-up")]
    public int WarmupEpochs { get; set; } = 5;

    [Flag("weight decay of AdamW")]
    public double WeightDecay { get; set; } = 0.05;

    [Flag("epsilon of AdamW")]
    public double OptEps { get; set; } = 1e-8;

    [Flag("decay of AdamW's first moment")]
    public double OptBeta1 { get; set; } = 0.9;

    [Flag("decay of AdamW's second moment")]
    public double OptBeta2 { get; set; } = 0.999;

    [Flag("largest gradient norm; none without it")]
    public double? ClipGrad { get; set; }

    [Flag("mixup's alpha; 0 for none (the reference's default: 0.8)")]
    public double Mixup { get; set; }

    [Flag("cutmix's alpha; 0 for none (the reference's default: 1)")]
    public double Cutmix { get; set; }

    [Flag("chance that a batch is mixed")]
    public double MixupProb { get; set; } = 1;

    [Flag("chance of cutmix where mixup is on too")]
    public double MixupSwitchProb { get; set; } = 0.5;

    [Flag("label smoothing")]
    public double Smoothing { get; set; } = 0.1;

    [Flag("stochastic depth: the drop rate of the last block")]
    public double DropPath { get; set; } = 0.1;

    [Flag("smallest area of the random resized crop")]
    public double ScaleMin { get; set; } = 0.08;

    [Flag("chance of a horizontal flip")]
    public double Hflip { get; set; } = 0.5;

    [Flag("RandAugment, as rand-m9-mstd0.5-inc1 (the reference's default); none without it")]
    public string Aa { get; set; } = "";

    [Flag("how far brightness, contrast and saturation may move from 1; without effect beside --aa (the reference's default: 0.3)")]
    public double ColorJitter { get; set; }

    [Flag("chance of an image to be erased in part (the reference's default: 0.25)")]
    public double Reprob { get; set; }

    [Flag("what takes the place of what is erased: zeros, a colour, or noise", Choices = ["const", "rand", "pixel"])]
    public string Remode { get; set; } = "pixel";

    [Flag("most parts of an image to erase")]
    public int Recount { get; set; } = 1;

    [Flag("see a third of the images an epoch, each three times (on in the reference where it runs distributed)")]
    public bool RepeatedAug { get; set; }

    [Flag("share of the image that evaluation crops")]
    public double EvalCropRatio { get; set; } = 0.875;

    [Flag("share of each class kept for validation when DIR has no val folder")]
    public double ValFraction { get; set; } = 0.1;

    [Flag("threads that decode images; 0 for one a core")]
    public int NumWorkers { get; set; }

    [Flag("steps between two reads of the running loss")]
    public int PrintFreq { get; set; } = 10;

    [Flag("seed of everything random")]
    public long Seed { get; set; }

    [Flag("run folder to write")]
    public string? Output { get; set; }

    [Flag("Vulkan device by index, name or UUID (also DEIT_DEVICE)")]
    [JsonIgnore]
    public string? Device { get; set; }

    /// <summary>The file of a run folder that holds these options.</summary>
    public const string FileName = "args.json";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    /// <summary>The model that the options describe.</summary>
    /// <exception cref="DeitException">They describe none.</exception>
    public DeitConfig Config(int classes)
    {
        bool free = EmbedDim is not null || Depth is not null || NumHeads is not null;
        if (free && (EmbedDim is null || Depth is null || NumHeads is null))
            throw new DeitException("A free configuration was given in part; give --embed-dim, --depth and --num-heads together, or --model alone.");
        DeitConfig config = free ? new DeitConfig { EmbedDim = EmbedDim!.Value, Depth = Depth!.Value, NumHeads = NumHeads!.Value } : ModelZoo.Get(Model);
        return (config with
        {
            NumClasses = classes,
            PatchSize = PatchSize ?? config.PatchSize,
            InputSize = InputSize ?? config.InputSize,
            Distilled = Distilled || config.Distilled,
        }).Validate();
    }

    /// <summary>The constants of the optimiser.</summary>
    public AdamWOptions Optimizer() => new(OptBeta1, OptBeta2, OptEps, WeightDecay);

    /// <summary>The training transform.</summary>
    /// <param name="inputSize">Side of the input in pixels.</param>
    /// <exception cref="DeitException">The kind of erasing is unknown.</exception>
    public TrainTransformOptions Transform(int inputSize) => new()
    {
        InputSize = inputSize,
        Scale = (ScaleMin, 1),
        HorizontalFlip = Hflip,
        AutoAugment = Aa,
        ColorJitter = ColorJitter,
        ErasingProbability = Reprob,
        ErasingMode = Remode switch
        {
            "const" => ErasingMode.Const,
            "rand" => ErasingMode.Rand,
            "pixel" => ErasingMode.Pixel,
            _ => throw new DeitException($"--remode is '{Remode}', expected const, rand or pixel."), // of an edited args.json
        },
        ErasingCount = Recount,
    };

    /// <summary>The order of the training images.</summary>
    /// <param name="count">How many images there are.</param>
    public ISampler Sampler(int count) => RepeatedAug ? new RepeatedAugmentationSampler(count, (ulong)Seed) : new RandomSampler(count, (ulong)Seed);

    /// <summary>The reference's name of the model, or null of a free configuration.</summary>
    public string? ModelName() => EmbedDim is null ? Model : null;

    /// <summary>Checks the numbers that nothing else checks.</summary>
    /// <exception cref="DeitException">One of them makes no sense.</exception>
    public void Validate()
    {
        Require(Epochs >= 1, "--epochs", Epochs, "at least 1");
        Require(BatchSize >= 1, "--batch-size", BatchSize, "at least 1");
        Require(Lr > 0 && double.IsFinite(Lr), "--lr", Lr, "above 0");
        Require(MinLr >= 0 && double.IsFinite(MinLr), "--min-lr", MinLr, "at least 0");
        Require(WarmupLr >= 0 && double.IsFinite(WarmupLr), "--warmup-lr", WarmupLr, "at least 0");
        Require(WarmupEpochs >= 0, "--warmup-epochs", WarmupEpochs, "at least 0");
        Require(WeightDecay >= 0 && double.IsFinite(WeightDecay), "--weight-decay", WeightDecay, "at least 0");
        Require(OptEps > 0 && double.IsFinite(OptEps), "--opt-eps", OptEps, "above 0");
        Require(OptBeta1 is >= 0 and < 1, "--opt-beta1", OptBeta1, "from 0 to below 1");
        Require(OptBeta2 is >= 0 and < 1, "--opt-beta2", OptBeta2, "from 0 to below 1");
        Require(Smoothing is >= 0 and < 1, "--smoothing", Smoothing, "from 0 to below 1");
        Require(Mixup is >= 0 and <= 1000, "--mixup", Mixup, "from 0 to 1000");
        Require(Cutmix is >= 0 and <= 1000, "--cutmix", Cutmix, "from 0 to 1000");
        Require(MixupProb is >= 0 and <= 1, "--mixup-prob", MixupProb, "from 0 to 1");
        Require(MixupSwitchProb is >= 0 and <= 1, "--mixup-switch-prob", MixupSwitchProb, "from 0 to 1");
        Require(DropPath is >= 0 and < 1, "--drop-path", DropPath, "from 0 to below 1");
        Require(ScaleMin is > 0 and <= 1, "--scale-min", ScaleMin, "above 0, at most 1");
        Require(Hflip is >= 0 and <= 1, "--hflip", Hflip, "from 0 to 1");
        Require(ColorJitter is >= 0 and < double.PositiveInfinity, "--color-jitter", ColorJitter, "at least 0");
        Require(Reprob is >= 0 and <= 1, "--reprob", Reprob, "from 0 to 1");
        Require(Recount >= 1, "--recount", Recount, "at least 1");
        Require(EvalCropRatio is > 0 and <= 1, "--eval-crop-ratio", EvalCropRatio, "above 0, at most 1");
        Require(ValFraction is > 0 and < 1, "--val-fraction", ValFraction, "between 0 and 1");
        Require(ClipGrad is null or (> 0 and < double.PositiveInfinity), "--clip-grad", ClipGrad ?? 0, "above 0");
        Require(PrintFreq >= 1, "--print-freq", PrintFreq, "at least 1");
        Require(NumWorkers is >= 0 and <= 1024, "--num-workers", NumWorkers, "from 0 to 1024");
    }

    /// <summary>Writes the options into a run folder.</summary>
    public void Save(string folder) => AtomicFile.Write(Path.Combine(folder, FileName), stream => JsonSerializer.Serialize(stream, this, Json));

    /// <summary>Reads the options of a run folder.</summary>
    /// <exception cref="DeitException">The folder holds no run.</exception>
    public static TrainOptions Load(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new DeitException($"'{folder}' is no run folder: it has no {FileName}; give the --output of an earlier training.");
        try
        {
            return JsonSerializer.Deserialize<TrainOptions>(File.ReadAllBytes(path), Json) ?? throw new JsonException("it is empty");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new DeitException($"'{path}' cannot be read as training options ({error.Message.ReplaceLineEndings(" ")}); restore the file or start a new run.", error);
        }
    }

    private static void Require(bool condition, string flag, double actual, string expected)
    {
        if (!condition)
            throw new DeitException($"{flag} is {actual}, expected {expected}.");
    }
}
