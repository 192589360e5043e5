using Deit.Gpu;
using Deit.Model;
using Deit.Train.Data.Augmentation;
using Deit.Train.Distillation;
using Deit.Train.Distributed;
using Deit.Train.Optimizers;
using Deit.Train.Options;

namespace Deit.Train.Training;

/// <summary>
/// One training step recorded once: forward, teacher, loss, backward, and each <see cref="StepOptions.AccumSteps"/>
/// steps an update of the weights and their moving average. The inputs of the next steps are written while this one
/// runs. The running loss stays on the device.
/// </summary>
internal sealed class TrainStep : IDisposable
{
    private readonly GpuDevice _device;
    private readonly INetwork _model;
    private readonly INetwork? _average;
    private readonly TrainOptions _options;
    private readonly IOptimizer _optimizer;
    private readonly WeightUpdate _update;
    private readonly Arena _inputs;
    private readonly Tensor _images,
        _labels,
        _stepState,
        _mixState,
        _lossSum,
        _uploaded;
    private readonly Tensor? _teacherLogits;
    private readonly Mixup _mixup;
    private readonly Graph? _further,
        _updateGraph,
        _averageGraph; // apart from the update where weights of other ranks come between

    /// <summary>Records the step.</summary>
    /// <param name="device">The device of the networks.</param>
    /// <param name="model">The network to train.</param>
    /// <param name="options">The recipe.</param>
    /// <param name="average">A network like it, whose parameters become the moving average; null without.</param>
    /// <param name="teacher">The teacher that runs in each step; null without, or where its logits are uploaded.</param>
    /// <param name="uploadTeacher">True where the teacher's logits come with the images.</param>
    /// <param name="precision">The types to compute in; activations of F16 scale the loss.</param>
    /// <param name="sharing">Given where each step only makes gradients: somebody sums those of all ranks and asks for the
    /// <see cref="Update"/>.</param>
    public TrainStep(
        GpuDevice device,
        INetwork model,
        TrainOptions options,
        INetwork? average = null,
        Teacher? teacher = null,
        bool uploadTeacher = false,
        Precision precision = default,
        UpdateSharing? sharing = null
    )
    {
        if (!precision.Trains)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Training in {precision.Name} was asked for, gradients lie below its range; use bf16x3 or fp32."
            );
        (_device, _model, _options, _average, Precision) = (device, model, options, average, precision);
        (_mixup, _optimizer) = (options.Augmentation.Mixing(), OptimizerList.Create(options.Optimizer));
        model.Parameters.Train(options.Model.Frozen.ParametersOf(model.Config));
        int batch = options.Step.BatchSize;
        UploadLayout layout = new(batch, model.Config, uploadTeacher);
        try
        {
            if (sharing is not null)
            {
                Buckets = FlatRange.Buckets((int)model.Parameters.FlatGradients!.Elements, sharing.BucketBytes);
                Shards = sharing is { Sharded: true, World.Size: > 1 } ? new Shards(sharing.World, Buckets) : null;
            }
            _update = new WeightUpdate(
                model.Parameters,
                _optimizer,
                options.Optimizer.ClipGrad,
                scalesLoss: precision.Activations == DType.F16,
                LayerDecay.Rates(model.Config, model.Parameters, options.Optimizer.LayerDecay),
                Shards
            );
            _inputs = device.CreateArena("inputs", layout.ByteLength + Arena.SizeOf(DType.F32, [1]));
            _images = layout.Images.In(_inputs);
            _labels = layout.Labels.In(_inputs);
            _stepState = layout.StepState.In(_inputs);
            _mixState = layout.MixState.In(_inputs);
            _teacherLogits = layout.TeacherLogits?.In(_inputs);
            _uploaded = _inputs.At(0, [(int)(layout.ByteLength / sizeof(float))], name: "uploaded");
            _lossSum = _inputs.At(layout.ByteLength, [1], name: "loss sum");
            device.Fill(_lossSum);
            Slots = new UploadSlots(device, layout, batch);
            (Graph, _further, _updateGraph) = Record(teacher, $"training with --batch-size {batch}");
            if (Shards is not null && average is not null)
                _averageGraph = device.Record(RecordAverage, new GraphOptions { Purpose = "the moving average" });
        }
        catch
        {
            // Most often the activations do not fit. A try with a smaller batch then needs the memory of this one.
            Dispose();
            throw;
        }
    }

    /// <summary>The recorded step, the first of an update.</summary>
    public Graph Graph { get; }

    /// <summary>Where updates are shared, the parts in which gradients are exchanged, the first to be computed first.</summary>
    public IReadOnlyList<FlatRange> Buckets { get; } = [];

    /// <summary>Where each rank updates a part of the weights, these parts; null elsewhere.</summary>
    public Shards? Shards { get; }

    /// <summary>Whether an update reads all gradients, for their norm: not only those of the weights that it changes.</summary>
    public bool ReadsAllGradients => Shards is null || LossScale is not null || _options.Optimizer.ClipGrad is not null;

    /// <summary>The optimiser's tensors, laid out as the parameters that are updated here.</summary>
    public IReadOnlyList<NamedTensor> OptimizerState => _update.State;

    /// <summary>The type of activations and factors.</summary>
    public Precision Precision { get; }

    /// <summary>The state of dynamic loss scaling, see <see cref="LossScaleOp"/>; null without.</summary>
    public Tensor? LossScale => _update.LossScale;

    /// <summary>The memory that the next steps' inputs are written to.</summary>
    public UploadSlots Slots { get; }

    /// <summary>
    /// The sum of the losses of all steps since it was last set, kept on the device in F32; reading waits for the queued steps.
    /// </summary>
    public float LossSum
    {
        get => _device.Read<float>(_lossSum)[0];
        set => _device.Write<float>(_lossSum, [value]);
    }

    /// <summary>Starts the moving average at the weights as they are.</summary>
    public void StartAverage()
    {
        if (_average is null)
            return;
        _device.Write<float>(_average.Parameters.Flat, _device.Read<float>(_model.Parameters.Flat));
        if (_model.Parameters.FlatBuffers is { } buffers)
            _device.Write<float>(_average.Parameters.FlatBuffers!, _device.Read<float>(buffers));
    }

    /// <summary>Queues a step and returns before the device has done it.</summary>
    /// <param name="inputs">Images and labels, and the teacher's logits where they are uploaded; one of <see cref="Slots"/>.</param>
    /// <param name="step">The number of the step since the start of the run.</param>
    /// <param name="learningRate">The learning rate in force.</param>
    public void Submit(UploadSlot inputs, long step, double learningRate)
    {
        int steps = _options.Step.AccumSteps;
        long micro = step % steps;
        inputs.StepState = StateOf(step, learningRate);
        inputs.MixState = _mixup.Draw((ulong)_options.Run.Seed, step, _model.Config.InputSize);
        inputs.Upload(_uploaded);
        bool shares = Buckets.Count > 0;
        (micro == 0 || shares ? Graph : _further!).Submit();
        if (micro == steps - 1 && !shares)
            _updateGraph?.Submit();
    }

    /// <summary>Waits until the step submitted last has computed the gradients of one of <see cref="Buckets"/>.</summary>
    /// <returns>The gradients, until the next step or update.</returns>
    public ReadOnlySpan<float> Gradients(int bucket) => Graph.ReadBack(bucket);

    /// <summary>Gets the optimiser's state of all ranks, so that <see cref="Kept"/> can be read. All ranks call it.</summary>
    /// <exception cref="DeitException">A rank has ended, or did not come in time.</exception>
    public void GatherState() => _update.GatherState();

    /// <summary>Queues an update by the gradients that now lie in the parameters, where steps do not make it themselves.</summary>
    /// <param name="step">The number of the update's last step since the start of the run.</param>
    /// <param name="learningRate">The learning rate in force.</param>
    public void Update(long step, double learningRate)
    {
        _device.Write(_stepState, StateOf(step, learningRate));
        _updateGraph?.Submit(); // null on a rank that has no part to update
    }

    /// <summary>
    /// Moves the average on, where an update does not: where each rank updates its part, and the weights are gathered then.
    /// </summary>
    public void UpdateAverage() => _averageGraph?.Submit();

    /// <summary>Copies inputs into a slot and queues a step.</summary>
    /// <param name="images">[B, 3, H, W], normalised.</param>
    /// <param name="labels">[B].</param>
    /// <param name="step">The number of the step since the start of the run.</param>
    /// <param name="learningRate">The learning rate in force.</param>
    public void Submit(ReadOnlySpan<float> images, ReadOnlySpan<uint> labels, long step, double learningRate)
    {
        UploadSlot slot = Slots.RentSlot();
        images.CopyTo(slot.Images); // waits until the device has read the inputs before
        labels.CopyTo(slot.Labels);
        Submit(slot, step, learningRate);
        Slots.Return(slot);
    }

    /// <summary>What a checkpoint keeps beside weights and moving average.</summary>
    /// <param name="step">The number of the next step: within an update the gradients so far belong to it.</param>
    public IEnumerable<KeptValues> Kept(long step)
    {
        foreach (KeptValues state in _update.Kept)
            yield return state;
        if (step % _options.Step.AccumSteps != 0)
            yield return KeptValues.Of(_device, new NamedTensor("gradients", _model.Parameters.FlatGradients!));
        if (LossScale is { } scale)
            yield return KeptValues.Of(_device, new NamedTensor("loss_scale", scale));
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        _averageGraph?.Dispose();
        _updateGraph?.Dispose();
        _further?.Dispose();
        Graph?.Dispose(); // this and the rest: null where the constructor failed
        Slots?.Dispose();
        _inputs?.Dispose();
        _update?.Dispose();
    }

    private StepState StateOf(long step, double learningRate)
    {
        long update = step / _options.Step.AccumSteps;
        return StepState.At(
            step,
            learningRate,
            _optimizer.Corrections,
            (ulong)_options.Run.Seed,
            _options.Average.DecayAt(update),
            update: update
        );
    }

    private (Graph First, Graph? Further, Graph? Update) Record(Teacher? teacher, string purpose)
    {
        bool shares = Buckets.Count > 0,
            whole = _options.Step.AccumSteps == 1 && !shares;
        Tensor? gradients = _model.Parameters.FlatGradients;
        IReadOnlyList<string> untouched = [];
        Graph? first = null,
            further = null;
        try
        {
            first = _device.Record(
                r =>
                {
                    untouched = RecordGradients(r, teacher, accumulate: false);
                    if (whole)
                        RecordUpdate(r);
                },
                new GraphOptions
                {
                    Purpose = purpose,
                    ReadBack = [.. Buckets.Select(range => gradients!.Slice(range.Start, [range.Count]))],
                }
            );
            _update.SetDecay(untouched);
            if (whole)
                return (first, null, null);
            if (!shares)
                further = _device.Record(
                    r => RecordGradients(r, teacher, accumulate: true),
                    new GraphOptions { Purpose = purpose, Borrow = first }
                );
            // A rank without a part still follows the loss scale, by which all scale their gradients.
            bool updates = Shards is null or { OwnLength: > 0 } || LossScale is not null;
            return (
                first,
                further,
                updates ? _device.Record(RecordUpdate, new GraphOptions { Purpose = purpose }) : null
            );
        }
        catch
        {
            further?.Dispose();
            first?.Dispose();
            throw;
        }
    }

    // Forward and backward of one batch; returns the parameters that no gradient reaches.
    private List<string> RecordGradients(Recorder r, Teacher? teacher, bool accumulate)
    {
        Parameters parameters = _model.Parameters;
        Tensor mixed = _mixup.Enabled ? r.MixImages(_images, _mixState) : _images;
        NetworkOutput output = _model.Forward(
            r,
            mixed,
            new ForwardContext
            {
                Training = _options.Model.TrainMode,
                FrozenBlocks = _options.Model.Frozen.BlocksOf(_model.Config),
                DropPathRate = _options.Model.DropPath,
                StepState = _stepState,
                Precision = Precision,
            }
        );
        Tensor targets = r.SoftTargets(_labels, _model.Config.NumClasses, (float)_options.Augmentation.Smoothing);
        if (_mixup.Enabled)
            targets = r.MixTargets(targets, _mixState);
        Tensor loss = _options
            .Distillation.Loss()
            .Loss(r, output, _teacherLogits ?? teacher?.Logits(r, mixed, Precision), targets);
        r.AddTo(_lossSum, loss);
        // The gradient of each batch counts by its share, so that the sum is the gradient of the mean over the update.
        float share = 1f / _options.Step.AccumSteps;
        r.Tape.Backward(
            loss,
            LossScale is null ? r.Full([1], share) : r.Scale(LossScale.Slice(0, [1]), share),
            accumulate
        );
        return
        [
            .. parameters
                .Specs.Skip(parameters.FrozenCount)
                .Select(spec => spec.Name)
                .Where(name => !r.Tape.Reached(parameters[name])),
        ];
    }

    private void RecordUpdate(Recorder r)
    {
        _update.Record(r, _stepState);
        if (_average is not null && Shards is null)
            RecordAverage(r);
    }

    private void RecordAverage(Recorder r)
    {
        // The running statistics are averaged, too, as in timm's ModelEma over the whole state dictionary.
        Parameters own = _model.Parameters,
            average = _average!.Parameters;
        r.Ema(own.TrainedPartOf(average), own.Trained, _stepState);
        if (own.TrainedBuffersOf(own) is { } buffers)
            r.Ema(own.TrainedBuffersOf(average)!, buffers, _stepState);
    }
}
