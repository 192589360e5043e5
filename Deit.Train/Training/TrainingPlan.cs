using Deit.Model;
using Deit.Model.Text;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Inspection;
using Deit.Train.Data.Loading;
using Deit.Train.Data.Splits;
using Deit.Train.Options;
using Deit.Train.Schedules;

namespace Deit.Train.Training;

/// <summary>Everything about a training that can be known, and can be wrong, before a device is opened.</summary>
internal sealed class TrainingPlan : IDisposable
{
    /// <summary>Opens the data and reads the descriptions of all networks. Nothing is written.</summary>
    /// <param name="options">The recipe.</param>
    /// <param name="folder">The run folder, for messages.</param>
    /// <param name="resumed">True where weights come from elsewhere, as from a checkpoint: <c>--finetune</c> was done before.</param>
    /// <param name="localRanks">How many ranks of a training share the cores of this one.</param>
    /// <param name="source">The pictures of a program; null for those of the options' folder.</param>
    /// <exception cref="DeitException">Data, teacher or options do not allow a training.</exception>
    public TrainingPlan(
        TrainOptions options,
        string folder,
        bool resumed,
        int localRanks = 1,
        IImageSource? source = null
    )
    {
        (Options, Folder, LocalRanks) = (options, folder, localRanks);
        Source = source ?? new FolderSource(options.Data.Path ?? throw NoData());
        try
        {
            DatasetOptions reading = new() { ValFraction = options.Data.ValFraction };
            TrainingImages = Source.Open(DatasetRules.Train, reading);
            ValidationImages = Source.Open(DatasetRules.Val, reading);
            ISampler sampler = options.Sampler(TrainingImages.Count);
            Options = options = WithBatch(options, sampler.Count, out string? lowered);
            NetworkConfig config = options.Model.Config(TrainingImages.ClassNames.Count);
            _ = options.Model.Frozen.ParametersOf(config);
            Description = new ModelDescription
            {
                Name = options.Model.PublishedName,
                Config = config,
                Labels = TrainingImages.ClassNames,
                Preprocess = options.Evaluation.Preprocess(config.InputSize),
                HeadFusion = options.Evaluation.HeadFusion,
            };
            IImageTransform transform = options.Transform(config.InputSize);
            Start = options.Model.Finetune is { } path && !resumed ? ModelOptions.OpenWeights(path) : null;
            if (Start is not null)
                options.Model.Frozen.RequireIn(config, Start);
            Notices = resumed ? [] : Found(lowered);
            if (options.Distillation.TeacherPath is { } teacher)
                DescribeTeacher(teacher);
            // A resumed run says nothing again.
            Notices = resumed ? [] : [.. Notices.Distinct()];
            (int batch, int steps) = (options.Step.BatchSize, options.Step.AccumSteps);
            Workers = WorkersOf(options.Data.NumWorkers, localRanks);
            BatchLoaderOptions loading = new() { BatchSize = batch, Workers = Workers };
            Training = new BatchLoader(TrainingImages, sampler, transform, loading with { Training = true });
            SequentialSampler all = new(ValidationImages.Count);
            Validation = new BatchLoader(
                ValidationImages,
                all,
                new EvaluationTransform(Description.Preprocess),
                loading
            );
            // An epoch has whole updates only, as with one batch of all their images.
            StepsPerEpoch = Training.BatchCount(sampler.Count) / steps * steps;
            if (StepsPerEpoch == 0)
                throw NoWholeUpdate(steps, batch, sampler.Count);
            Schedule = options.LearningRates();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private static DeitException NoData() => new(DeitErrorKind.Usage, MissingOptions.NoData);

    // The batch of the defaults or of a recipe is nobody's wish, and an update must fit into an epoch.
    private static TrainOptions WithBatch(TrainOptions options, int images, out string? notice)
    {
        StepOptions step = options.Step;
        int most = images / step.AccumSteps;
        notice = null;
        if (!step.MayLowerBatch || most < 1 || most >= step.BatchSize)
            return options;
        notice =
            $"a batch has {Plural.Of(most, "image")} instead of {step.BatchSize}: an epoch of the training set has no more than "
            + images;
        return options with { Step = step with { BatchSize = most } };
    }

    private static DeitException NoWholeUpdate(int steps, int batch, int images) =>
        new(
            DeitErrorKind.Usage,
            $"An update of {steps} batches of {batch} images was asked for, an epoch of the training set has "
                + $"{images}; lower --accum-steps or --batch-size."
        );

    /// <summary>The recipe.</summary>
    public TrainOptions Options { get; }

    /// <summary>The run folder.</summary>
    public string Folder { get; }

    /// <summary>Where the pictures come from.</summary>
    public IImageSource Source { get; }

    /// <summary>The network to train, its classes and its preprocessing.</summary>
    public ModelDescription Description { get; }

    /// <summary>A sentence, without a point at its end, for each thing about the data that the user should
    /// know.</summary>
    public IReadOnlyList<string> Notices { get; private set; }

    /// <summary>The pictures to learn from.</summary>
    public IImageSplit TrainingImages { get; }

    /// <summary>The pictures to evaluate with.</summary>
    public IImageSplit ValidationImages { get; }

    /// <summary>How many ranks of a training share the cores of this one.</summary>
    public int LocalRanks { get; }

    /// <summary>Threads that decode; 0 is one a core.</summary>
    public int Workers { get; }

    /// <summary>Batches to learn from.</summary>
    public BatchLoader Training { get; }

    /// <summary>Batches to evaluate with.</summary>
    public BatchLoader Validation { get; }

    /// <summary>Steps of an epoch, a multiple of those of an update. Batches at the end that make no whole update are
    /// left out.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>The learning rate of each epoch.</summary>
    public ISchedule Schedule { get; }

    /// <summary>The weights to start from; null for random ones.</summary>
    public ModelSource? Start { get; }

    /// <summary>The teacher's weights and network; null without a teacher.</summary>
    public (ModelSource Source, NetworkConfig Config)? Teacher { get; private set; }

    /// <summary>Adds a sentence to <see cref="Notices"/>.</summary>
    public void Notice(string sentence) => Notices = [.. Notices, sentence];

    /// <summary>SHA-256 of the teacher's weights; null without a teacher.</summary>
    public string? TeacherHash() => Teacher is { } teacher ? Distillation.Teacher.Hash(teacher.Source) : null;

    private void DescribeTeacher(string path)
    {
        Teacher = Distillation.Teacher.Describe(
            path,
            Options.Distillation.TeacherModel,
            Description.Preprocess,
            TrainingImages.ClassNames
        );
        Notices = [.. Notices, .. Distillation.Teacher.ClassNotices(Teacher.Value.Source, TrainingImages.ClassNames)];
    }

    // Ranks of one machine share its cores; 0 leaves the number to the loader.
    private static int WorkersOf(int asked, int localRanks) =>
        asked > 0 || localRanks == 1 ? asked : Math.Max(1, Environment.ProcessorCount / localRanks);

    // What a resumed run has said at its start.
    private string[] Found(string? lowered) =>
        [
            .. TrainingImages.Notices,
            .. ValidationImages.Notices,
            .. Look(),
            .. lowered is null ? [] : (string[])[lowered],
        ];

    private IReadOnlyList<string> Look() =>
        [
            .. new QuickLook(Source.Folder, TrainingImages, ValidationImages).Sentences(),
            .. FewPictures() is { } few ? [few] : Array.Empty<string>(),
            .. Options.Schedule.LongWarmup is { } warning ? [warning] : Array.Empty<string>(),
        ];

    // Days of training, of which a network of millions of weights learns little.
    private string? FewPictures()
    {
        const int ManyEpochs = 300,
            Enough = 20_000; // as docs/finetune.md has it
        return
            Start is null
            && Options.Model.PublishedName is { } name
            && Options.Schedule.Epochs >= ManyEpochs
            && TrainingImages.Count < Enough
            ? $"{Plural.Of(TrainingImages.Count, "image")} {Plural.Choose(TrainingImages.Count, "is", "are")} few to train {name} "
                + $"from random weights, and {Options.Schedule.Epochs} epochs take long; better: --recipe finetune "
                + "--finetune hf:timm/deit_tiny_patch16_224.fb_in1k; without these weights a small network learns more: "
                + "--recipe plain --embed-dim 96 --depth 6 --num-heads 3 --patch-size 8 --input-size 48 --epochs 30 "
                + "--batch-size 32 --lr 1.6e-2"
            : null;
    }

    /// <summary>Closes the files of weights.</summary>
    public void Dispose()
    {
        Start?.Dispose();
        Teacher?.Source.Dispose();
    }
}
