using System.Text.Json;
using System.Text.Json.Serialization;
using Deit.Model;
using Deit.Model.Files;
using Deit.Model.Images;

namespace Deit.Train.Options;

/// <summary>What a training is asked to do. Names and defaults are those of the reference's main.py where it has them.</summary>
internal sealed partial record TrainOptions
{
    [Flag("folder with DIR/{train,val}/<class>/* or DIR/<class>/*, CIFAR, WebDataset shards or Parquet", Run = true)]
    public string? Data { get; set; }

    [Flag(
        "deit|finetune384|transfer|plain, or a file of --save-recipe: what the flags below start from; flags given with it come after it",
        Run = true
    )]
    [JsonIgnore]
    public string? Recipe { get; set; }

    [Flag("write all settings of the recipe to a file; without --data nothing else is done", Run = true)]
    [JsonIgnore]
    public string? SaveRecipe { get; set; }

    [Flag(
        "deit_{tiny,small,base}[_distilled]_patch16_224, deit_base[_distilled]_patch16_384, regnety_{040,080,120,160}"
    )]
    public string Model { get; set; } = "deit_tiny_patch16_224";

    [Flag("width of a free DeiT (with --depth and --num-heads)")]
    public int? EmbedDim { get; set; }

    [Flag("blocks of a free DeiT")]
    public int? Depth { get; set; }

    [Flag("attention heads of a free DeiT")]
    public int? NumHeads { get; set; }

    [Flag("patch side in pixels")]
    public int? PatchSize { get; set; }

    [Flag("add the distillation token")]
    public bool Distilled { get; set; }

    [Flag(
        "w_0, w_a, w_m, depth and group width of a free RegNetY, as 48,27.89,2.09,16,8; a sixth number is the width of its stem"
    )]
    public string? Regnet { get; set; }

    [Flag("input in pixels, a side or HEIGHTxWIDTH; the model's own without it")]
    public ImageSize? InputSize { get; set; }

    [Flag(
        "weights to start from, a model folder or a .safetensors file: position embedding resized, heads of other classes started anew",
        Run = true
    )]
    public string? Finetune { get; set; }

    [Flag(
        "train as training; --no-train-mode keeps the student in evaluation mode (no drop-path), as the paper's 384 fine-tuning ran"
    )]
    public bool TrainMode { get; set; } = true;

    [Flag("passes over the training images")]
    public int Epochs { get; set; } = 300;

    [Flag("images a step")]
    public int BatchSize { get; set; } = 64;

    [Flag("steps whose gradients are added up for one update; the learning rate is scaled by batch size times this")]
    public int AccumSteps { get; set; } = 1;

    [Flag(
        "adamw, sgd (with Nesterov's momentum, as timm's) or momentum (without)",
        Choices = ["adamw", "sgd", "momentum"]
    )]
    public string Opt { get; set; } = "adamw";

    [Flag("base learning rate; multiplied by images an update / 512")]
    public double Lr { get; set; } = 5e-4;

    [Flag("take --lr as it is")]
    public bool UnscaleLr { get; set; }

    [Flag("learning rate at the end, not multiplied")]
    public double MinLr { get; set; } = 1e-5;

    [Flag("learning rate of the first epoch, not multiplied")]
    public double WarmupLr { get; set; } = 1e-6;

    [Flag("epochs of linear warm-up")]
    public int WarmupEpochs { get; set; } = 5;

    [PrecisionFlag(
        "type of activations and of the operands of matrix products, with -residual that of the residual stream too; bf16x3: fp32 with each product as three of bf16 on matrix units (tensor cores); weights, sums and loss are fp32 (reference: fp16)",
        trains: true
    )]
    public string Precision { get; set; } = "fp32";

    [Flag("weight decay; not of biases, norms, class token and position embedding")]
    public double WeightDecay { get; set; } = 0.05;

    [Flag("epsilon of AdamW")]
    public double OptEps { get; set; } = 1e-8;

    [Flag("decay of AdamW's first moment")]
    public double OptBeta1 { get; set; } = 0.9;

    [Flag("decay of AdamW's second moment")]
    public double OptBeta2 { get; set; } = 0.999;

    [Flag("momentum of SGD")]
    public double Momentum { get; set; } = 0.9;

    [Flag("largest gradient norm; none without it")]
    public double? ClipGrad { get; set; }

    [Flag(
        "keep a moving average of the weights, evaluate and save it (on in the reference code, off in the paper's runs)"
    )]
    public bool ModelEma { get; set; } = true;

    [Flag("decay of the moving average")]
    public double ModelEmaDecay { get; set; } = 0.99996;

    [Flag("mixup's alpha; 0 for none")]
    public double Mixup { get; set; } = 0.8;

    [Flag("cutmix's alpha; 0 for none")]
    public double Cutmix { get; set; } = 1;

    [Flag("chance that a batch is mixed")]
    public double MixupProb { get; set; } = 1;

    [Flag("chance of cutmix where mixup is on too")]
    public double MixupSwitchProb { get; set; } = 0.5;

    [Flag("label smoothing")]
    public double Smoothing { get; set; } = 0.1;

    [Flag("stochastic depth of a DeiT: the drop rate of the last block")]
    public double DropPath { get; set; } = 0.1;

    [Flag("no augmentation: training images are prepared as for evaluation and not mixed")]
    public bool NoAug { get; set; }

    [Flag("smallest area of the random resized crop")]
    public double ScaleMin { get; set; } = 0.08;

    [Flag("how the crop is resized; rotations and shears of --aa stay bicubic", Choices = ["bicubic", "bilinear"])]
    public string TrainInterpolation { get; set; } = "bicubic";

    [Flag("chance of a horizontal flip")]
    public double Hflip { get; set; } = 0.5;

    [Flag("RandAugment in timm's grammar; none for no such augmentation")]
    public string Aa { get; set; } = "rand-m9-mstd0.5-inc1";

    [Flag(
        "how far brightness, contrast and saturation may move from 1; without effect beside --aa, as in the reference"
    )]
    public double ColorJitter { get; set; } = 0.3;

    [Flag("chance of an image to be erased in part")]
    public double Reprob { get; set; } = 0.25;

    [Flag("what takes the place of what is erased: zeros, a colour, or noise", Choices = ["const", "rand", "pixel"])]
    public string Remode { get; set; } = "pixel";

    [Flag("most parts of an image to erase")]
    public int Recount { get; set; } = 1;

    [Flag("see a third of the images an epoch, each three times (the reference code only where it runs distributed)")]
    public bool RepeatedAug { get; set; } = true;

    [Flag("what the student learns from the teacher", Choices = ["none", "soft", "hard"])]
    public string DistillationType { get; set; } = "none";

    [Flag("weight of the teacher's part of the loss (paper: 0.5 for hard, 0.1 for soft)")]
    public double DistillationAlpha { get; set; } = 0.5;

    [Flag("temperature of soft distillation (paper: 3)")]
    public double DistillationTau { get; set; } = 1;

    [Flag(
        "what the soft loss is divided by: numel, batch times classes, as the reference code; batchmean, the batch, as the paper's formula",
        Choices = ["numel", "batchmean"]
    )]
    public string DistillationReduction { get; set; } = "numel";

    [Flag("the teacher's weights: a model folder, or a .safetensors file with timm's names", Run = true)]
    public string? TeacherPath { get; set; }

    [Flag("the teacher's model where its file does not say (reference: regnety_160)", Run = true)]
    public string? TeacherModel { get; set; }

    [Flag(
        "file that keeps the teacher's logits of each training image by name, with --no-aug; made when missing",
        Run = true
    )]
    public string? TeacherCache { get; set; }

    [Flag(
        "how a distilled model's heads answer together: mean-logits as the reference code, sum-softmax as the paper",
        Choices = ["mean-logits", "sum-softmax"]
    )]
    public string HeadFusion { get; set; } = "mean-logits";

    [Flag("share of the image that evaluation crops")]
    public double EvalCropRatio { get; set; } = 0.875;

    [Flag(
        "share of each class kept for validation when DIR has no val split, the same for every seed; 0 takes the test split of CIFAR",
        Run = true
    )]
    public double ValFraction { get; set; } = 0.1;

    [Flag("threads that decode images; 0 for one a core", Run = true)]
    public int NumWorkers { get; set; }

    [Flag("steps between two reads of the running loss", Run = true)]
    public int PrintFreq { get; set; } = 10;

    [Flag("steps between two saves within an epoch; 0 saves at its end alone", Run = true)]
    public int SaveSteps { get; set; }

    [Flag("seed of everything random", Run = true)]
    public long Seed { get; set; }

    [Flag("run folder to write", Run = true)]
    public string? Output { get; set; }

    [Flag("Vulkan device by index, name or UUID (also DEIT_DEVICE)", Run = true)]
    [JsonIgnore]
    public string? Device { get; set; }

    /// <summary>The file of a run folder that holds these options.</summary>
    public const string FileName = "args.json";

    internal static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>Writes the options into a run folder.</summary>
    public void Save(string folder) =>
        AtomicFile.Write(Path.Combine(folder, FileName), stream => JsonSerializer.Serialize(stream, this, Json));

    /// <summary>Reads the options of a run folder.</summary>
    /// <exception cref="DeitException">The folder holds no run.</exception>
    public static TrainOptions Load(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new DeitException(
                $"'{folder}' is no run folder: it has no {FileName}; give the --output of an earlier training."
            );
        try
        {
            return JsonSerializer.Deserialize<TrainOptions>(File.ReadAllBytes(path), Json)
                ?? throw new JsonException("it is empty");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                $"'{path}' cannot be read as training options ({error.Message.ReplaceLineEndings(" ")}); restore the file or start a new run.",
                error
            );
        }
    }
}
