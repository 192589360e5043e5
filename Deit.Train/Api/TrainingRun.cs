using Deit.Gpu;
using Deit.Model;
using Deit.Train.Analysis;
using Deit.Train.Data.Formats;
using Deit.Train.Options;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Train;

/// <summary>
/// Trains and evaluates models, as the commands <c>deit train</c> and <c>deit eval</c> do: the same settings on the same
/// device and driver give the same bits.
/// </summary>
/// <remarks>
/// <para>Every method returns at once and works on a thread of its own. Nothing is printed, no signal is listened to, and
/// the process is never ended. Several calls may work at the same time; each opens the device for itself and takes memory
/// of its own.</para>
/// <para>The task of a call that is cancelled ends as cancelled. A training ends after the step that it is at, with its
/// state saved, as at Ctrl-C; while it begins, it ends once weights of <c>hf:</c> are downloaded, the device is open and
/// the kernels are measured. Where
/// <see cref="Exists"/> then says so, <see cref="ResumeAsync"/> goes on with it.</para>
/// <para>Errors are a <see cref="DeitException"/> with its <see cref="DeitException.Kind"/>, or a
/// <see cref="GpuException"/> of the device. Their sentences call a setting by its flag, as <c>--batch-size</c>.</para>
/// </remarks>
public static class TrainingRun
{
    /// <summary>Trains a model, and writes its checkpoints and reports into <see cref="TrainingOptions.Output"/>.</summary>
    /// <param name="options">What to train, on what and where to.</param>
    /// <param name="progress">
    /// Hears how the training gets on. It is called on the training's thread, which waits for it; a
    /// <see cref="Progress{T}"/> passes on to the context that it was made in. An exception from it ends the training.
    /// </param>
    /// <param name="cancellationToken">Ends the training after a step, with its state saved.</param>
    /// <returns>What was reached and where it lies, once all epochs are done.</returns>
    /// <exception cref="ArgumentException">There is no output, or it is empty.</exception>
    /// <exception cref="ArgumentNullException">There are no options or no data.</exception>
    /// <exception cref="DeitException">Data, options or folders do not allow it, or the training failed.</exception>
    /// <exception cref="GpuException">There is no such device, it has not enough memory, or it failed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Task<TrainingResult> StartAsync(
        TrainingOptions options,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(options.Data);
        ArgumentException.ThrowIfNullOrEmpty(options.Output);
        return OwnThread.Run(
            "Deit training",
            () =>
            {
                IImageSource images = options.Data.Read();
                TrainOptions train = NewRunOptions
                    .Of(options.Given())
                    .Complete(hasData: options.Data.Source.Folder is null, out string? notice);
                return Train(train, resume: null, images, notice, progress, cancellationToken);
            },
            cancellationToken
        );
    }

    /// <summary>Goes on with a training that was stopped, exactly where it stopped: on the same device it ends with the same bits as
    /// if it never had. A complete one is left as it is.</summary>
    /// <param name="output">The folder of the run, whose own options apply.</param>
    /// <param name="options">What may differ from the start; null for nothing.</param>
    /// <param name="progress">As of <see cref="StartAsync"/>.</param>
    /// <param name="cancellationToken">As of <see cref="StartAsync"/>.</param>
    /// <returns>What was reached, once all epochs are done.</returns>
    /// <exception cref="DeitException">There is no such run, it is in use, the data has other classes, or the training failed.</exception>
    /// <exception cref="GpuException">There is no such device, it has not enough memory, or it failed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Task<TrainingResult> ResumeAsync(
        string output,
        ResumeOptions? options = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(output);
        ResumeOptions resume = options ?? new ResumeOptions();
        return OwnThread.Run(
            "Deit training",
            () => Train(resume.Over(output), output, resume.Data?.Read(), notice: null, progress, cancellationToken),
            cancellationToken
        );
    }

    /// <summary>Whether a folder holds a run that <see cref="ResumeAsync"/> can go on with.</summary>
    /// <param name="output">The folder.</param>
    public static bool Exists(string output)
    {
        ArgumentNullException.ThrowIfNull(output);
        return RunFolder.HoldsRun(output);
    }

    /// <summary>Compares the answers of a model with the classes of pictures. Nothing is written.</summary>
    /// <param name="model">A model folder, as <see cref="TrainingResult.BestModel"/>, or <c>hf:OWNER/REPO</c>.</param>
    /// <param name="data">The pictures. Their classes are found among the model's by name.</param>
    /// <param name="options">Which pictures, and how; null for those held out for validation.</param>
    /// <param name="cancellationToken">Ends the evaluation after a batch.</param>
    /// <returns>The figures, and the answer to each picture.</returns>
    /// <exception cref="DeitException">There is no such model or data, it has classes that the model does not know, or no
    /// picture can be read.</exception>
    /// <exception cref="GpuException">There is no such device, it has not enough memory, or it failed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Task<EvaluationResult> EvaluateAsync(
        string model,
        TrainingData data,
        EvaluateOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(model);
        ArgumentNullException.ThrowIfNull(data);
        EvaluateOptions asked = options ?? new EvaluateOptions();
        return OwnThread.Run(
            "Deit evaluation",
            () => Evaluate(model, data, asked, cancellationToken),
            cancellationToken
        );
    }

    private static TrainingResult Train(
        TrainOptions options,
        string? resume,
        IImageSource? images,
        string? notice,
        IProgress<TrainingProgress>? progress,
        CancellationToken cancellation
    )
    {
        using StopSignal stop = new(cancellation);
        RunObserver observer = new(progress, notice);
        using TrainRun run = TrainRun.OpenRank(options, resume, stop, world: null, [observer], images);
        if (run.Notice is { } unlocked)
            observer.Noticed(unlocked);
        return run.Run(stop) == 0 ? observer.Result() : throw new OperationCanceledException(cancellation);
    }

    private static EvaluationResult Evaluate(
        string model,
        TrainingData data,
        EvaluateOptions options,
        CancellationToken cancellation
    )
    {
        using ModelOnSplit pictures = ModelOnSplit.Open(ModelSource.Open(model), data.Read(), options.ForSplit());
        cancellation.ThrowIfCancellationRequested();
        using GpuDevice device = GpuDevice.Open(options.Device);
        device.Choices.Budget = options.KernelBudget;
        (Precision precision, string? notice) = Precision.For(device.Info, options.Precision);
        Evaluation evaluation = pictures.Evaluate(device, options.HeadFusion, precision, cancellation);
        return EvaluationResult.Of(
            evaluation,
            pictures,
            [.. pictures.Notices, .. new[] { device.CacheNotice, notice }.OfType<string>()]
        );
    }
}
