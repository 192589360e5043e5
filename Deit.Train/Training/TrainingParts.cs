using Deit.Model.Images;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Loading;
using Deit.Train.Distillation;
using Deit.Train.Options;
using Deit.Train.Schedules;

namespace Deit.Train.Training;

/// <summary>The parts of a training, made as options say.</summary>
internal static class TrainingParts
{
    /// <summary>The learning rate of each epoch.</summary>
    /// <param name="options">The options.</param>
    public static ISchedule LearningRates(this TrainOptions options) =>
        ScheduleList.Create(options.Schedule, options.Step.UpdateImages);

    /// <summary>The distillation loss.</summary>
    /// <param name="options">The teacher's part of the loss.</param>
    public static DistillationLoss Loss(this DistillationOptions options) =>
        new(options.Type, options.Alpha, options.Tau, options.Reduction);

    /// <summary>The mixing of batches.</summary>
    /// <param name="options">The augmentation.</param>
    public static Mixup Mixing(this AugmentationOptions options) =>
        options.NoAug
            ? new Mixup(0, 0)
            : new Mixup(options.Mixup, options.Cutmix, options.MixupProbability, options.CutmixProbability);

    /// <summary>
    /// The preparation of pictures for evaluation. Small pictures are not cropped, as the reference does not crop them where it trains
    /// without resizing.
    /// </summary>
    /// <param name="options">The evaluation.</param>
    /// <param name="inputSize">Size of the input in pixels.</param>
    public static Preprocess Preprocess(this EvaluationOptions options, ImageSize inputSize) =>
        new()
        {
            InputSize = inputSize,
            CropRatio = inputSize.Longer <= TrainTransform.LargestUnresized ? 1 : options.CropRatio,
        };

    /// <summary>The training transform.</summary>
    /// <param name="options">The options.</param>
    /// <param name="inputSize">Size of the input in pixels.</param>
    /// <exception cref="DeitException">A setting is unknown.</exception>
    public static IImageTransform Transform(this TrainOptions options, ImageSize inputSize) =>
        options.Augmentation.NoAug
            ? new EvaluationTransform(options.Evaluation.Preprocess(inputSize))
            : new TrainTransform(options.Augmentation.TransformOptions(inputSize), (ulong)options.Run.Seed);

    /// <summary>The settings of the training transform.</summary>
    /// <param name="options">The augmentation.</param>
    /// <param name="inputSize">Size of the input in pixels.</param>
    public static TrainTransformOptions TransformOptions(this AugmentationOptions options, ImageSize inputSize) =>
        new()
        {
            InputSize = inputSize,
            Scale = (options.SmallestCrop, 1),
            Interpolation = options.Interpolation,
            HorizontalFlip = options.HorizontalFlip,
            AutoAugment = options.AutoAugment == "none" ? "" : options.AutoAugment,
            ColorJitter = options.ColorJitter,
            ErasingProbability = options.ErasingProbability,
            ErasingMode = options.ErasingMode,
            ErasingCount = options.ErasingCount,
        };

    /// <summary>The order of the training images.</summary>
    /// <param name="options">The options.</param>
    /// <param name="count">Number of images.</param>
    public static ISampler Sampler(this TrainOptions options, int count) =>
        options.Augmentation is { RepeatedAug: true, NoAug: false }
            ? new RepeatedAugmentationSampler(count, (ulong)options.Run.Seed)
            : new RandomSampler(count, (ulong)options.Run.Seed);
}
