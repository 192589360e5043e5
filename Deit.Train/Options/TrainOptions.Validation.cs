using Deit.Model;

namespace Deit.Train.Options;

internal sealed partial record TrainOptions
{
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
        Require(ValFraction is >= 0 and < 1, "--val-fraction", ValFraction, "from 0 to below 1");
        Require(ClipGrad is null or (> 0 and < double.PositiveInfinity), "--clip-grad", ClipGrad ?? 0, "above 0");
        Require(AccumSteps is >= 1 and <= 65536, "--accum-steps", AccumSteps, "from 1 to 65536");
        Require(Momentum is >= 0 and < 1, "--momentum", Momentum, "from 0 to below 1");
        Require(ModelEmaDecay is >= 0 and <= 1, "--model-ema-decay", ModelEmaDecay, "from 0 to 1");
        Require(DistillationAlpha is >= 0 and <= 1, "--distillation-alpha", DistillationAlpha, "from 0 to 1");
        Require(
            DistillationTau > 0 && double.IsFinite(DistillationTau),
            "--distillation-tau",
            DistillationTau,
            "above 0"
        );
        Require(SaveSteps >= 0, "--save-steps", SaveSteps, "at least 0");
        Require(PrintFreq >= 1, "--print-freq", PrintFreq, "at least 1");
        Require(NumWorkers is >= 0 and <= 1024, "--num-workers", NumWorkers, "from 0 to 1024");
        bool distils = DistillationType != "none";
        if (distils && TeacherPath is null)
            throw new DeitException(
                $"--distillation-type {DistillationType} needs a teacher; add --teacher-path with a model folder or a .safetensors file."
            );
        if (!distils && TeacherPath is not null)
            throw new DeitException(
                "--teacher-path was given and --distillation-type is none, so nothing would be learned from it; add --distillation-type hard or soft."
            );
        if (TeacherModel is not null && TeacherPath is null)
            throw new DeitException("--teacher-model names the model of --teacher-path, which is missing; add it.");
        if (TeacherCache is not null && !(NoAug && distils))
            throw new DeitException(
                "--teacher-cache keeps one answer an image, and augmentation changes the image each time; add --no-aug and a --distillation-type, or drop it."
            );
        if (Distilled && IsRegNet)
            throw new DeitException(
                "--distilled adds a token to a DeiT, a RegNetY has none; drop it: the other distillation flags work without a token."
            );
    }

    private static void Require(bool condition, string flag, double actual, string expected)
    {
        if (!condition)
            throw new DeitException($"{flag} is {actual}, expected {expected}.");
    }
}
