using System.Text.Json;
using Deit.Gpu;
using Deit.Model.Files;

namespace Deit.Train.Options;

/// <summary>
/// The options of a training, a record for each concern. Names and defaults of flags are those of the reference's main.py where it
/// has them.
/// </summary>
internal sealed record TrainOptions
{
    /// <summary>The pictures.</summary>
    [FlagGroup("Data")]
    public DataOptions Data { get; init; } = new();

    /// <summary>The network.</summary>
    [FlagGroup("Model")]
    public ModelOptions Model { get; init; } = new();

    /// <summary>The images of a step and of an update, and the arithmetic.</summary>
    [FlagGroup("Steps and arithmetic")]
    public StepOptions Step { get; init; } = new();

    /// <summary>The length of the training and its learning rates.</summary>
    [FlagGroup("Length and learning rate")]
    public ScheduleOptions Schedule { get; init; } = new();

    /// <summary>The optimiser.</summary>
    [FlagGroup("Optimizer")]
    public OptimizerOptions Optimizer { get; init; } = new();

    /// <summary>The moving average of the weights.</summary>
    [FlagGroup("Moving average")]
    public AverageOptions Average { get; init; } = new();

    /// <summary>The changes to training pictures and labels.</summary>
    [FlagGroup("Augmentation")]
    public AugmentationOptions Augmentation { get; init; } = new();

    /// <summary>The teacher and its part of the loss.</summary>
    [FlagGroup("Distillation")]
    public DistillationOptions Distillation { get; init; } = new();

    /// <summary>The evaluation after each epoch.</summary>
    [FlagGroup("Evaluation")]
    public EvaluationOptions Evaluation { get; init; } = new();

    /// <summary>The run folder and everything else of one run.</summary>
    [FlagGroup("Run")]
    public RunOptions Run { get; init; } = new();

    /// <summary>The file of a run folder that holds these options.</summary>
    public const string FileName = "args.json";

    /// <summary>Checks the values that nothing else checks.</summary>
    /// <exception cref="DeitException">One of them makes no sense.</exception>
    public void Validate()
    {
        Data.Validate();
        Model.Validate();
        Step.Validate();
        Schedule.Validate();
        Optimizer.Validate();
        Average.Validate();
        Augmentation.Validate();
        Distillation.Validate();
        Evaluation.Validate();
        Run.Validate();
        if (Run.Ranks.Zero && Optimizer.Kind == OptimizerKind.Lamb)
            throw new DeitException(
                DeitErrorKind.Usage,
                "--zero was given with --opt lamb, which needs the norms of whole tensors; drop --zero, or take another --opt."
            );
        if (Run.Ranks.Reduce == GradientReduction.Bf16 && Step.Precision.Activations == DType.F16)
            throw new DeitException(
                DeitErrorKind.Usage,
                "--reduce bf16 was given with --precision fp16: what rounding leaves for the next update would have another loss "
                    + "scale by then; take --reduce ordered, or another --precision."
            );
        if (Distillation.TeacherCache is not null && !(Augmentation.NoAug && Distillation.Distils))
            throw new DeitException(
                DeitErrorKind.Usage,
                "--teacher-cache keeps one answer an image, and augmentation changes the image each time; "
                    + "add --no-aug and a --distillation-type, or drop it."
            );
    }

    /// <summary>Writes the options into a run folder.</summary>
    /// <param name="folder">The run folder.</param>
    /// <exception cref="DeitException">The file cannot be written.</exception>
    public void Save(string folder) => OptionsFile.Write(this, Path.Combine(folder, FileName), FlagScope.Run);

    // Somebody may have named a model folder of a run, as RUN/last.
    private static string RunFolderNear(string folder) =>
        Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(folder)) is { Length: > 0 } above
        && File.Exists(Path.Combine(above, FileName))
            ? $"'{above}', the run that it is of"
            : "the --output of an earlier training";

    /// <summary>Reads the options of a run folder.</summary>
    /// <param name="folder">The run folder.</param>
    /// <exception cref="DeitException">The folder holds no run, or its file is damaged.</exception>
    public static TrainOptions Load(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new DeitException(
                DeitErrorKind.Data,
                $"'{folder}' is no run folder: it has no {FileName}; give {RunFolderNear(folder)}."
            );
        try
        {
            using MemoryStream file = new(SharedFile.ReadAllBytes(path));
            return OptionsFile.Read(file, FlagScope.Run);
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            string reason = error.Message.ReplaceLineEndings(" ");
            throw new DeitException(
                DeitErrorKind.Data,
                $"'{path}' cannot be read as training options ({reason}); restore the file or start a new run.",
                error
            );
        }
    }
}
