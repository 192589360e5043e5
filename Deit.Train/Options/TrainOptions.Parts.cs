using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Loading;
using Deit.Train.Distillation;
using Deit.Train.Schedules;

namespace Deit.Train.Options;

/// <summary>What the options describe.</summary>
internal sealed partial record TrainOptions
{
    private bool IsFreeDeit => EmbedDim is not null || Depth is not null || NumHeads is not null;

    private bool IsRegNet => Regnet is not null || (!IsFreeDeit && NetworkFamilies.Model(Model).Config is RegNetConfig);

    /// <summary>Images whose gradients make one update.</summary>
    public int UpdateImages => BatchSize * AccumSteps;

    /// <summary>The network that is trained.</summary>
    /// <exception cref="DeitException">They describe none.</exception>
    public NetworkConfig Config(int classes) =>
        NetworkFamilies.Configure(
            new ArchitectureOptions
            {
                Model = Model,
                EmbedDim = EmbedDim,
                Depth = Depth,
                NumHeads = NumHeads,
                RegNet = Regnet,
                PatchSize = PatchSize,
                InputSize = InputSize,
                Distilled = Distilled,
            },
            classes
        );

    /// <summary>The constants of AdamW.</summary>
    public AdamWOptions AdamW() => new(OptBeta1, OptBeta2, OptEps, WeightDecay);

    /// <summary>The constants of SGD.</summary>
    public SgdOptions Sgd() => new(Momentum, WeightDecay, Nesterov: Opt == "sgd");

    /// <summary>The learning rate of each epoch.</summary>
    public Schedule Schedule() =>
        new()
        {
            Lr = UnscaleLr ? Lr : Train.Schedules.Schedule.ScaledLr(Lr, UpdateImages),
            MinLr = MinLr,
            WarmupLr = WarmupLr,
            WarmupEpochs = WarmupEpochs,
            Epochs = Epochs,
        };

    /// <summary>The distillation loss.</summary>
    public DistillationLoss Distillation() =>
        new(
            DistillationType switch
            {
                "none" => Train.Distillation.DistillationType.None,
                "soft" => Train.Distillation.DistillationType.Soft,
                "hard" => Train.Distillation.DistillationType.Hard,
                _ => throw Unknown("--distillation-type", DistillationType, "none, soft or hard"),
            },
            DistillationAlpha,
            DistillationTau,
            DistillationReduction switch
            {
                "numel" => SoftReduction.Elements,
                "batchmean" => SoftReduction.BatchMean,
                _ => throw Unknown("--distillation-reduction", DistillationReduction, "numel or batchmean"),
            }
        );

    /// <summary>How both heads answer together.</summary>
    public HeadFusion Fusion() =>
        HeadFusion switch
        {
            "mean-logits" => Deit.Model.HeadFusion.MeanLogits,
            "sum-softmax" => Deit.Model.HeadFusion.SumSoftmax,
            _ => throw Unknown("--head-fusion", HeadFusion, "mean-logits or sum-softmax"),
        };

    /// <summary>How batches are mixed.</summary>
    public Mixup Mixing() => NoAug ? new Mixup(0, 0) : new Mixup(Mixup, Cutmix, MixupProb, MixupSwitchProb);

    /// <summary>How pictures are prepared for evaluation; small ones are not cropped, as the reference does not where it trains without resizing.</summary>
    public Preprocess Preprocess(ImageSize inputSize) =>
        new()
        {
            InputSize = inputSize,
            CropRatio = inputSize.Longer <= TrainTransform.LargestUnresized ? 1 : EvalCropRatio,
        };

    /// <summary>The training transform.</summary>
    /// <param name="inputSize">Size of the input in pixels.</param>
    /// <exception cref="DeitException">A setting is unknown.</exception>
    public IImageTransform Transform(ImageSize inputSize) =>
        NoAug
            ? new EvaluationTransform(Preprocess(inputSize))
            : new TrainTransform(TransformOptions(inputSize), (ulong)Seed);

    /// <summary>The settings of the training transform.</summary>
    /// <param name="inputSize">Size of the input in pixels.</param>
    /// <exception cref="DeitException">The kind of erasing or of resizing is unknown.</exception>
    public TrainTransformOptions TransformOptions(ImageSize inputSize) =>
        new()
        {
            InputSize = inputSize,
            Scale = (ScaleMin, 1),
            Interpolation = TrainInterpolation switch
            {
                "bicubic" => ResampleFilter.Bicubic,
                "bilinear" => ResampleFilter.Bilinear,
                _ => throw Unknown("--train-interpolation", TrainInterpolation, "bicubic or bilinear"),
            },
            HorizontalFlip = Hflip,
            AutoAugment = Aa == "none" ? "" : Aa,
            ColorJitter = ColorJitter,
            ErasingProbability = Reprob,
            ErasingMode = Remode switch
            {
                "const" => ErasingMode.Const,
                "rand" => ErasingMode.Rand,
                "pixel" => ErasingMode.Pixel,
                _ => throw Unknown("--remode", Remode, "const, rand or pixel"),
            },
            ErasingCount = Recount,
        };

    /// <summary>The order of the training images.</summary>
    /// <param name="count">How many images there are.</param>
    public ISampler Sampler(int count) =>
        RepeatedAug && !NoAug
            ? new RepeatedAugmentationSampler(count, (ulong)Seed)
            : new RandomSampler(count, (ulong)Seed);

    /// <summary>The published name of the model, or null of a free configuration.</summary>
    public string? ModelName() => IsFreeDeit || Regnet is not null ? null : Model;

    // Of an edited args.json or recipe: the command line offers a choice.
    private static DeitException Unknown(string flag, string value, string expected) =>
        new($"{flag} is '{value}', expected {expected}.");
}
