using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Deit.Gpu;
using Deit.Model;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Loading;
using Deit.Train.Distillation;
using Deit.Train.Options;
using Deit.Train.Reporting;
using Deit.Train.Runs;
using Deit.Train.Schedules;

namespace Deit.Train.Training;

/// <summary>A training from its first step, or from where it stopped, to its last: data, steps, evaluation, log and checkpoints.</summary>
internal sealed class Trainer : IDisposable
{
    private readonly TrainOptions _options;
    private readonly string _run;
    private readonly GpuDevice _device;
    private readonly INetwork _model;
    private readonly INetwork? _average;
    private readonly Teacher? _teacher;
    private readonly float[]? _teacherLogits;
    private readonly ModelDescription _description;
    private readonly TrainStep _step;
    private readonly Evaluator _evaluator;
    private readonly BatchLoader _training,
        _validation;
    private readonly int _stepsPerEpoch;
    private readonly ISchedule _schedule;
    private readonly RunCheckpoint _checkpoint;
    private readonly RunLog _log;
    private TrainState _state = new();

    /// <summary>Starts a run in <c>--output</c>, or takes up the one in <paramref name="resume"/>.</summary>
    /// <exception cref="DeitException">Data, options or folders do not allow it.</exception>
    /// <exception cref="GpuException">There is no such device, or it has not enough memory.</exception>
    public Trainer(TrainOptions options, string? resume)
    {
        options.Validate();
        _options = options;
        _run = resume ?? options.Run.Output ?? throw new DeitException("No run folder was given; add --output DIR.");
        if (options.Data.Path is null)
            throw new DeitException(
                "No data was given; add --data DIR with a folder of pictures for each class, tar shards, Parquet or CIFAR."
            );
        // Everything that can be wrong on disk is found before a device is opened and before anything is written.
        _checkpoint = new RunCheckpoint(_run);
        TrainState? resumed = resume is null ? null : _checkpoint.ReadState();
        if (resume is null && File.Exists(Path.Combine(_run, TrainOptions.FileName)))
            throw new DeitException(
                $"'{_run}' holds a run already; go on with --resume {_run}, or choose another --output."
            );
        DatasetOptions folder = new() { ValFraction = options.Data.ValFraction };
        IImageDataset training = ImageDatasets.Open(options.Data.Path, "train", folder),
            validation = ImageDatasets.Open(options.Data.Path, "val", folder);
        NetworkConfig config = options.Model.Config(training.ClassNames.Count);
        _description = new ModelDescription
        {
            Name = options.Model.PublishedName,
            Config = config,
            Labels = training.ClassNames,
            Preprocess = options.Evaluation.Preprocess(config.InputSize),
            HeadFusion = options.Evaluation.HeadFusion,
        };
        IImageTransform transform = options.Transform(config.InputSize);
        ModelSource? start = options.Model.Finetune is { } path && resume is null ? ModelSource.Open(path) : null;
        (ModelSource Source, NetworkConfig Config)? teacher = options.Distillation.TeacherPath is { } teacherPath
            ? Teacher.Describe(
                teacherPath,
                options.Distillation.TeacherModel,
                _description.Preprocess,
                training.ClassNames
            )
            : null;
        ISampler sampler = options.Sampler(training.Count);
        BatchLoaderOptions loading = new() { BatchSize = options.Step.BatchSize, Workers = options.Data.NumWorkers };
        _training = new BatchLoader(training, sampler, transform, loading with { Training = true });
        _validation = new BatchLoader(
            validation,
            new SequentialSampler(validation.Count),
            new EvaluationTransform(_description.Preprocess),
            loading
        );
        // Whole updates only, as one batch of all their images would be.
        _stepsPerEpoch = _training.BatchCount(sampler.Count) / options.Step.AccumSteps * options.Step.AccumSteps;
        if (_stepsPerEpoch == 0)
            throw new DeitException(
                $"An update of {options.Step.AccumSteps} batches of {options.Step.BatchSize} images was asked for, an epoch of the training set has {sampler.Count}; lower --accum-steps or --batch-size."
            );
        _schedule = options.LearningRates();

        List<string> notices = [];
        _device = GpuDevice.Open(options.Run.Device);
        try
        {
            if (resumed is not null)
                _device.Choices.Restore(resumed.Kernels);
            _model = config.Create(_device);
            _average = options.Average.Enabled ? config.Create(_device) : null;
            _teacher = teacher is { } known ? Teacher.Load(_device, known.Source, known.Config) : null;
            if (_teacher is not null && options.Distillation.TeacherCache is { } cache)
                _teacherLogits = _teacher.Cached(
                    cache,
                    training,
                    _description.Preprocess,
                    options.Step.BatchSize,
                    options.Data.NumWorkers
                );
            (Precision precision, string? notice) = Precision.For(_device.Info, options.Step.Precision);
            if (notice is not null)
                notices.Add(notice);
            if (precision.Activations != DType.F32 && config is not DeitConfig)
                notices.Add(
                    $"a {config.Family} computes in fp32, so that --precision {options.Step.Precision.Name} changes nothing but its teacher and its loss scale"
                );
            _step = new TrainStep(
                _device,
                _model,
                options,
                _average,
                _teacherLogits is null ? _teacher : null,
                uploadTeacher: _teacherLogits is not null,
                precision
            );
            _evaluator = new Evaluator(
                _device,
                _average is null ? [_model] : [_model, _average],
                options.Step.BatchSize,
                options.Evaluation.HeadFusion,
                precision,
                _step.Graph
            );
            // A CPU device takes from the same memory.
            HostMemory.Require(
                _training.BufferBytes
                    + _validation.BufferBytes
                    + _step.HostBytes
                    + (_device.Info.Type == GpuType.Cpu ? _device.AllocatedBytes : 0),
                $"training with --batch-size {options.Step.BatchSize}"
            );
            if (resumed is not null)
            {
                _checkpoint.Load(_model.Parameters, _step, AmidUpdate(resumed));
                _step.LossSum = resumed.PendingLoss;
                resumed = resumed with { PendingLoss = 0 };
            }
            else
            {
                _model.Parameters.Initialize((ulong)options.Run.Seed);
                if (start is not null)
                    notices.AddRange(WeightTransfer.Load(_model, start, newHeads: true));
                _step.StartAverage();
            }
            string? taught = teacher?.Source is { } weights ? Teacher.Hash(weights) : null;
            if (resumed is not null && resumed.Teacher != taught)
                throw new DeitException(
                    $"The teacher '{options.Distillation.TeacherPath}' is another than the one that '{_run}' was begun with; restore its weights, or name their place with --teacher-path."
                );
            _state = resumed ?? new TrainState { Teacher = taught };
            if (resume is null)
            {
                CreateFolder(_run);
                // A run is there once its options are: whatever happens from then on, it can be resumed.
                Save();
                _options.Save(_run);
                _log = RunLog.Create(_run);
            }
            else
                _log = RunLog.Resume(_run, _state.Epoch);
        }
        catch
        {
            Dispose();
            throw;
        }
        Say($"Device   {_device.Info}");
        Say(
            $"Model    {_description.Name ?? "free configuration"}: {_model.Parameters.Count / 1e6:0.00} M parameters, {_step.Precision.Name}, input {config.InputSize}, {config.NumClasses} classes"
        );
        Say(
            $"Data     {training.Count} training and {validation.Count} validation images, {_stepsPerEpoch} steps of {options.Step.BatchSize} an epoch{(options.Step.AccumSteps > 1 ? $", an update each {options.Step.AccumSteps}" : "")}"
        );
        if (_teacher is not null)
            Say(
                $"Teacher  {options.Distillation.TeacherPath}: {_teacher.Network.Config.Family} of {_teacher.Network.Parameters.Count / 1e6:0.00} M parameters, {FlagValue.Name(options.Distillation.Type)} distillation into the {(config is DeitConfig { Distilled: true } ? "distillation" : "class")} token"
            );
        else if (config is DeitConfig { Distilled: true })
            Say(
                "Notice   the model has a distillation token and no teacher: its head learns nothing and spoils the answer of both heads; add --distillation-type and --teacher-path, or choose a model without the token"
            );
        if (start is not null)
            Say($"Start    weights of {options.Model.Finetune}");
        foreach (string notice in notices.Concat(_teacher?.Notices ?? []))
            Say($"Notice   {notice}");
        Say(
            $"Memory   {_device.AllocatedBytes / 1048576.0:0} MiB held; activations {_step.Graph.PlannedBytes / 1048576.0:0.0} MiB planned for {_step.Graph.LiveBytes / 1048576.0:0.0} MiB alive at once"
        );
        if (resumed is not null)
            Say($"Resumed  at epoch {_state.Epoch + 1}, step {_state.StepInEpoch}");
    }

    /// <summary>A sentence for each image that could not be read so far.</summary>
    public IReadOnlyList<string> Unreadable => [.. _training.Unreadable, .. _validation.Unreadable];

    /// <summary>Called after each step is queued (for tests).</summary>
    internal Action? StepSubmitted { get; init; }

    /// <summary>The folder of the best evaluation.</summary>
    public string BestFolder => _checkpoint.Best;

    /// <summary>Trains to the end or until told to stop.</summary>
    /// <returns>The exit code: 0, or that of the signal.</returns>
    /// <exception cref="DeitException">The loss is not finite, or the disk is full; checkpoints are intact.</exception>
    public int Run(StopSignal stop)
    {
        using ProgressLine progress = ProgressLine.OnConsole();
        int firstEpoch = _state.Epoch;
        for (int epoch = firstEpoch; epoch < _options.Schedule.Epochs; epoch++)
        {
            if (!TrainEpoch(epoch, progress, stop) || !FinishEpoch(epoch, progress, stop))
            {
                Save();
                progress.WriteLine(
                    $"Stopped in epoch {epoch + 1} after step {_state.StepInEpoch}; go on with: deit train --resume {_run}"
                );
                Finish(progress);
                return stop.ExitCode;
            }
        }
        Finish(progress);
        return 0;
    }

    private bool TrainEpoch(int epoch, ProgressLine progress, StopSignal stop)
    {
        double learningRate = LearningRate(epoch);
        long start = Stopwatch.GetTimestamp();
        TimeSpan waitedBefore = _training.Waited;
        double secondsBefore = _state.Seconds;
        int done = _state.StepInEpoch,
            firstDone = done,
            unread = 0;
        // Batches at the end that make no whole update are left.
        foreach (Batch batch in _training.Epoch(epoch, done).Take(_stepsPerEpoch - done))
            using (batch)
            {
                _step.Submit(batch.Images, batch.Labels, _state.Step, learningRate, TeacherLogits(batch));
                done++;
                unread++;
                _state = _state with { StepInEpoch = done, Step = _state.Step + 1 };
                StepSubmitted?.Invoke();
                bool stopping = stop.Requested;
                // Read at fixed steps, so that sums and logs do not depend on timing.
                if (done % _options.Run.PrintSteps == 0 || done == _stepsPerEpoch)
                {
                    TakeLoss(epoch);
                    double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                    double stepSeconds = seconds / (done - firstDone);
                    long left = ((long)(_options.Schedule.Epochs - epoch) * _stepsPerEpoch) - done;
                    progress.Report(
                        new Progress(
                            epoch,
                            _options.Schedule.Epochs,
                            done,
                            _stepsPerEpoch,
                            _state.LossSum / done,
                            learningRate,
                            _options.Step.BatchSize / stepSeconds,
                            (_training.Waited - waitedBefore).TotalSeconds / seconds,
                            TimeSpan.FromSeconds(left * stepSeconds)
                        )
                    );
                    _state = _state with { Seconds = secondsBefore + seconds };
                }
                if (stopping)
                {
                    // Steps since the last read keep their sum: it goes on from there, so that the log has the same bits as without a stop.
                    float pending = _step.LossSum;
                    RequireFinite(pending, epoch);
                    _state = _state with
                    {
                        PendingLoss = pending,
                        Seconds = secondsBefore + Stopwatch.GetElapsedTime(start).TotalSeconds,
                    };
                    return false;
                }
                if (_options.Run.SaveSteps > 0 && done % _options.Run.SaveSteps == 0)
                {
                    float pending = _step.LossSum;
                    RequireFinite(pending, epoch);
                    Save(
                        _state with
                        {
                            PendingLoss = pending,
                            Seconds = secondsBefore + Stopwatch.GetElapsedTime(start).TotalSeconds,
                        }
                    );
                }
            }
        _waitShare =
            (_training.Waited - waitedBefore).TotalSeconds
            / Math.Max(1e-9, Stopwatch.GetElapsedTime(start).TotalSeconds);
        return true;
    }

    private double _waitShare;

    private double LearningRate(int epoch) =>
        _schedule.LearningRate(epoch, [.. _log.Rows.Select(row => row.ValLoss ?? double.NaN)]);

    private void TakeLoss(int epoch)
    {
        float sum = _step.LossSum;
        RequireFinite(sum, epoch);
        _step.LossSum = 0;
        _state = _state with { LossSum = _state.LossSum + sum };
    }

    private void RequireFinite(double loss, int epoch)
    {
        if (!double.IsFinite(loss))
            throw new DeitException(
                $"The loss is {loss.ToString(CultureInfo.InvariantCulture)} in epoch {epoch + 1} at or before step {_state.StepInEpoch}, so training stopped; the checkpoints in '{_run}' are from before: lower --lr, raise --warmup-epochs or set --clip-grad 1, and start anew."
            );
    }

    private bool FinishEpoch(int epoch, ProgressLine progress, StopSignal stop)
    {
        IReadOnlyList<Evaluation> evaluations;
        try
        {
            evaluations = _evaluator.Run(_validation.Epoch(0, cancellation: stop.Token));
        }
        catch (OperationCanceledException)
        {
            // Evaluated anew on resuming: whoever stops a run waits for a step, not for a whole validation set.
            return false;
        }
        Evaluation evaluation = evaluations[0];
        Evaluation? average = evaluations.Count > 1 ? evaluations[1] : null;
        // Before anything is saved: the loss of the last step came before its update, which may have ruined the weights.
        RequireFinite(evaluation.Loss, epoch);
        double trainLoss = _state.LossSum / _stepsPerEpoch;
        _log.Append(
            new LogRow
            {
                Epoch = epoch,
                Step = _state.Step,
                TrainLoss = trainLoss,
                ValLoss = evaluation.Loss,
                ValTop1 = evaluation.Top1,
                ValTop5 = evaluation.Top5,
                Lr = LearningRate(epoch),
                ImagesPerSecond = (double)_stepsPerEpoch * _options.Step.BatchSize / Math.Max(_state.Seconds, 1e-9),
                DataWait = _waitShare,
                Seconds = _state.Seconds,
                Further = Further(
                    evaluation,
                    average,
                    _step.LossScale is { } scale ? _device.Read<float>(scale) : null
                ),
            }
        );
        bool best = evaluation.Top1 > _state.BestTop1;
        progress.WriteLine(
            $"epoch {epoch + 1}/{_options.Schedule.Epochs}  train loss {trainLoss:F4}  val loss {evaluation.Loss:F4}  top-1 {evaluation.Top1:p1}  top-5 {evaluation.Top5:p1}  {_state.Seconds:F0} s{(best ? "  best" : "")}"
        );
        if (evaluation is { Class: { } byClass, Distillation: { } byDistillation })
            progress.WriteLine(
                $"  class token {byClass.Top1:p1}  distillation token {byDistillation.Top1:p1}  both {evaluation.Top1:p1}"
            );
        if (average is not null)
            progress.WriteLine($"  moving average {average.Total}");
        if (best)
            _checkpoint.SaveBest(_description, _model.Parameters);
        if (average?.Top1 > _state.BestEmaTop1)
            _checkpoint.SaveBestEma(_description, _average!.Parameters);
        _state = new TrainState
        {
            Epoch = epoch + 1,
            Step = _state.Step,
            BestTop1 = Math.Max(_state.BestTop1, evaluation.Top1),
            BestEmaTop1 = Math.Max(_state.BestEmaTop1, average?.Top1 ?? -1),
            Teacher = _state.Teacher,
        };
        Save();
        return true;
    }

    private void Save() => Save(_state);

    private void Save(TrainState state) =>
        _checkpoint.SaveLast(_description, _model.Parameters, _step, state, AmidUpdate(state));

    private bool AmidUpdate(TrainState state) => state.Step % _options.Step.AccumSteps != 0;

    // [B, C] of a batch, gathered from what the teacher said of all images; empty where it says so in the step.
    private float[] TeacherLogits(Batch batch)
    {
        if (_teacherLogits is null)
            return [];
        int classes = _model.Config.NumClasses;
        float[] logits = new float[batch.Count * classes];
        for (int i = 0; i < batch.Count; i++)
        {
            ReadOnlySpan<float> answer = _teacherLogits.AsSpan(batch.Indices[i] * classes, classes);
            if (float.IsNaN(answer[0]))
                throw new DeitException(
                    $"'{_options.Distillation.TeacherCache}' has no answer for image {batch.Indices[i]}, which could not be read when it was made; remove that file, so that it is made anew."
                );
            answer.CopyTo(logits.AsSpan(i * classes));
        }
        return logits;
    }

    private static ImmutableSortedDictionary<string, double> Further(
        Evaluation evaluation,
        Evaluation? average,
        float[]? lossScale
    )
    {
        Dictionary<string, double> columns = [];
        if (evaluation is { Class: { } byClass, Distillation: { } byDistillation })
            (columns["val_top1_class"], columns["val_top1_distillation"]) = (byClass.Top1, byDistillation.Top1);
        if (average is not null)
            (columns["ema_top1"], columns["ema_top5"], columns["ema_loss"]) = (
                average.Top1,
                average.Top5,
                average.Loss
            );
        if (lossScale is not null)
            (columns["loss_scale"], columns["skipped_updates"]) = (lossScale[0], lossScale[2]);
        return columns.ToImmutableSortedDictionary(StringComparer.Ordinal);
    }

    private void Finish(ProgressLine progress)
    {
        IReadOnlyList<string> unreadable = Unreadable;
        if (unreadable.Count > 0)
        {
            progress.WriteLine($"{unreadable.Count} image(s) could not be read and were skipped:");
            foreach (string sentence in unreadable)
                progress.WriteLine($"  {sentence}");
        }
        (TimeSpan total, long count) = _step.HostTime;
        if (count > 0)
            progress.WriteLine(
                $"Host time a step, waits excluded: {total.TotalMilliseconds / count:0.000} ms over {count} steps"
            );
    }

    private static void CreateFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                $"Run folder '{folder}' cannot be made ({error.Message.TrimEnd('.')}); choose another --output.",
                error
            );
        }
    }

    private static void Say(string line) => Console.WriteLine(line);

    public void Dispose()
    {
        _evaluator?.Dispose();
        _step?.Dispose();
        _teacher?.Dispose();
        _average?.Dispose();
        _model?.Dispose();
        _device?.Dispose();
    }
}
