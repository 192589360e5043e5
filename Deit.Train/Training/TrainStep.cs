using System.Diagnostics;
using System.Runtime.InteropServices;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;
using Deit.Train.Data.Augmentation;
using Deit.Train.Distillation;
using Deit.Train.Options;

namespace Deit.Train.Training;

/// <summary>
/// One training step recorded once: forward, teacher, loss, backward, and each <see cref="StepOptions.AccumSteps"/> steps an update of
/// the weights and their moving average. Inputs are double-buffered, the running loss stays on the device.
/// </summary>
internal sealed class TrainStep : IDisposable
{
    private const int Slots = 2;
    private readonly GpuDevice _device;
    private readonly INetwork _model;
    private readonly INetwork? _average;
    private readonly TrainOptions _options;
    private readonly Arena _state,
        _inputs;
    private readonly HostBuffer[] _slots = new HostBuffer[Slots];
    private readonly Tensor _images,
        _labels,
        _stepState,
        _mixState,
        _lossSum,
        _uploaded,
        _decayMask;
    private readonly Tensor? _teacherLogits;
    private readonly LossScaleOptions _lossScaling = new();
    private readonly Mixup _mixup;
    private readonly Graph? _further,
        _update;
    private readonly int _labelsAt,
        _stepStateAt,
        _mixStateAt,
        _teacherAt;
    private int _slot;

    /// <summary>Records the step.</summary>
    /// <param name="device">The device of the networks.</param>
    /// <param name="model">The network to train.</param>
    /// <param name="options">The recipe.</param>
    /// <param name="average">A network like it, whose parameters become the moving average; null without.</param>
    /// <param name="teacher">The teacher that runs in each step; null without, or where its logits are uploaded.</param>
    /// <param name="uploadTeacher">The teacher's logits come with the images.</param>
    /// <param name="precision">In which types; activations of F16 scale the loss.</param>
    public TrainStep(
        GpuDevice device,
        INetwork model,
        TrainOptions options,
        INetwork? average = null,
        Teacher? teacher = null,
        bool uploadTeacher = false,
        Precision precision = default
    )
    {
        if (!precision.Trains)
            throw new DeitException(
                $"Training in {precision.Name} was asked for, gradients lie below its range; use bf16x3 or fp32."
            );
        (_device, _model, _options, _average) = (device, model, options, average);
        (_mixup, Precision) = (options.Augmentation.Mixing(), precision);
        Parameters parameters = model.Parameters;
        parameters.Train();
        int batch = options.Step.BatchSize,
            length = parameters.FlatLength,
            moments = options.Optimizer.Kind == OptimizerKind.AdamW ? 2 : 1;
        ImageSize size = model.Config.InputSize;
        Shape images = [batch, 3, size.Height, size.Width],
            logits = [batch, model.Config.NumClasses];
        _state = device.CreateArena(
            "optimiser state",
            (
                moments
                * Arena.SizeOf(
                    DType.F32,
                    [
                        [length],
                    ]
                )
            )
                + Arena.SizeOf(
                    DType.F32,
                    [
                        [length / Parameters.Granule],
                        [LossScaleOp.StateElements],
                    ]
                )
        );
        Moments =
        [
            .. Enumerable
                .Range(0, moments)
                .Select(i => _state.Allocate([length], name: i == 0 ? "first moment" : "second moment")),
        ];
        _decayMask = _state.Allocate([length / Parameters.Granule], name: "decay mask");
        Tensor lossScale = _state.Allocate([LossScaleOp.StateElements], name: "loss scale");
        // Images, labels, the step's numbers and a teacher's logits lie one after another, so that one copy brings all.
        _inputs = device.CreateArena("inputs", Arena.SizeOf(DType.F32, images, [batch], [64], [64], logits, [1]));
        _images = _inputs.Allocate(images, name: "images");
        _labels = _inputs.Allocate([batch], DType.U32, "labels");
        _stepState = StepState.Allocate(_inputs);
        _mixState = MixState.Allocate(_inputs);
        _teacherLogits = uploadTeacher ? _inputs.Allocate(logits, name: "teacher's logits") : null;
        _labelsAt = (int)(Arena.SizeOf(DType.F32, images) / sizeof(float));
        _stepStateAt = _labelsAt + (int)(Arena.SizeOf(DType.U32, [batch]) / sizeof(uint));
        _mixStateAt = _stepStateAt + (int)(Arena.SizeOf(DType.U32, _stepState.Shape) / sizeof(uint));
        _teacherAt = _mixStateAt + (int)(Arena.SizeOf(DType.U32, _mixState.Shape) / sizeof(uint));
        _uploaded = _inputs.At(0, [_teacherAt + (int)(_teacherLogits?.Elements ?? 0)], name: "uploaded");
        _lossSum = _inputs.Allocate([1], name: "loss sum");
        for (int i = 0; i < Slots; i++)
            _slots[i] = device.CreateHostBuffer(_uploaded.ByteLength);
        device.Fill(_state.At(0, [(int)(_state.ByteLength / 4)]));
        device.Fill(_lossSum);
        if (precision.Activations == DType.F16)
        {
            LossScale = lossScale;
            device.Write<float>(LossScale, [_lossScaling.Initial, 0, 0, 0]);
        }

        string purpose = $"training with --batch-size {batch}";
        bool whole = options.Step.AccumSteps == 1;
        IReadOnlyList<string> untouched = [];
        try
        {
            Graph = device.Record(
                r =>
                {
                    untouched = RecordGradients(r, teacher, accumulate: false);
                    if (whole)
                        RecordUpdate(r);
                },
                new GraphOptions { Purpose = purpose }
            );
            if (!whole)
            {
                _further = device.Record(
                    r => RecordGradients(r, teacher, accumulate: true),
                    new GraphOptions { Purpose = purpose, Borrow = Graph }
                );
                _update = device.Record(RecordUpdate, new GraphOptions { Purpose = purpose });
            }
        }
        catch
        {
            // Activations are what does not fit: who tries a smaller batch then needs this one's memory.
            Dispose();
            throw;
        }

        // As torch.optim: a parameter without a gradient (the distillation head when nothing is distilled) is left alone.
        float[] mask = parameters.DecayMask();
        foreach (string name in untouched)
        {
            (int start, int count) = parameters.RangeOf(name);
            mask.AsSpan(start / Parameters.Granule, (count + Parameters.Granule - 1) / Parameters.Granule).Clear();
        }
        device.Write<float>(_decayMask, mask);
    }

    /// <summary>The recorded step, the first of an update.</summary>
    public Graph Graph { get; }

    /// <summary>What the optimiser keeps, laid out as the parameters: AdamW's m and v, or SGD's momentum.</summary>
    public IReadOnlyList<Tensor> Moments { get; }

    /// <summary>The type of activations and factors.</summary>
    public Precision Precision { get; }

    /// <summary>The state of dynamic loss scaling, see <see cref="LossScaleOp"/>; null without.</summary>
    public Tensor? LossScale { get; }

    /// <summary>The parameters' moving average; null without.</summary>
    public Parameters? Average => _average?.Parameters;

    /// <summary>Bytes of host memory for inputs on their way to the device.</summary>
    public long HostBytes => _slots.Sum(slot => slot.ByteLength);

    /// <summary>Host time spent in submitting, waits for the device excluded, and how often.</summary>
    public (TimeSpan Total, long Count) HostTime { get; private set; }

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
    /// <param name="images">[B, 3, H, W], normalised.</param>
    /// <param name="labels">[B].</param>
    /// <param name="step">The number of the step since the start of the run.</param>
    /// <param name="learningRate">The learning rate in force.</param>
    /// <param name="teacherLogits">[B, C] where the teacher's logits are uploaded.</param>
    public void Submit(
        ReadOnlySpan<float> images,
        ReadOnlySpan<uint> labels,
        long step,
        double learningRate,
        ReadOnlySpan<float> teacherLogits = default
    )
    {
        HostBuffer slot = _slots[_slot];
        _slot = (_slot + 1) % Slots;
        Span<float> target = slot.Floats(); // waits until the step before the last has its inputs
        images.CopyTo(target);
        labels.CopyTo(MemoryMarshal.Cast<float, uint>(target[_labelsAt..]));
        if (_teacherLogits is not null)
            teacherLogits.CopyTo(target[_teacherAt..]);
        long start = Stopwatch.GetTimestamp();
        ulong seed = (ulong)_options.Run.Seed;
        (long update, long micro) = Math.DivRem(step, _options.Step.AccumSteps);
        StepState state = StepState.At(
            step,
            learningRate,
            _options.Optimizer.AdamW(),
            seed,
            _options.Average.Decay,
            update: update
        );
        MemoryMarshal.Write(MemoryMarshal.AsBytes(target[_stepStateAt..]), in state);
        MixState mix = _mixup.Draw(seed, step, _model.Config.InputSize);
        MemoryMarshal.Write(MemoryMarshal.AsBytes(target[_mixStateAt..]), in mix);
        slot.CopyTo(_uploaded);
        (micro == 0 ? Graph : _further!).Submit();
        if (micro == _options.Step.AccumSteps - 1)
            _update?.Submit();
        HostTime = (HostTime.Total + Stopwatch.GetElapsedTime(start), HostTime.Count + 1);
    }

    /// <summary>The sum of the losses of all steps since it was last set, kept on the device in F32; reading waits for the queued steps.</summary>
    public float LossSum
    {
        get => _device.Read<float>(_lossSum)[0];
        set => _device.Write<float>(_lossSum, [value]);
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
        // Each batch of an update has its share, so that the sum is the gradient of their mean.
        float share = 1f / _options.Step.AccumSteps;
        r.Tape.Backward(
            loss,
            LossScale is null ? r.Full([1], share) : r.Scale(LossScale.Slice(0, [1]), share),
            accumulate
        );
        return [.. parameters.Specs.Select(spec => spec.Name).Where(name => !r.Tape.Reached(parameters[name]))];
    }

    private void RecordUpdate(Recorder r)
    {
        Parameters parameters = _model.Parameters;
        Tensor? factor = null,
            apply = null;
        if (LossScale is not null)
            (factor, apply) = r.LossScale(
                parameters.FlatGradients!,
                LossScale,
                _lossScaling,
                (float)(_options.Optimizer.ClipGrad ?? double.PositiveInfinity)
            );
        else if (_options.Optimizer.ClipGrad is { } maximum)
            factor = r.ClipScale(parameters.FlatGradients!, (float)maximum).Coefficient;
        if (_options.Optimizer.Kind == OptimizerKind.AdamW)
            r.AdamW(
                parameters.Flat,
                parameters.FlatGradients!,
                Moments[0],
                Moments[1],
                _decayMask,
                _stepState,
                _options.Optimizer.AdamW(),
                factor,
                apply
            );
        else
            r.Sgd(
                parameters.Flat,
                parameters.FlatGradients!,
                Moments[0],
                _decayMask,
                _stepState,
                _options.Optimizer.Sgd(),
                factor,
                apply
            );
        if (_average is null)
            return;
        // The running statistics too, as timm's ModelEma over the whole state dictionary.
        r.Ema(_average.Parameters.Flat, parameters.Flat, _stepState);
        if (parameters.FlatBuffers is { } buffers)
            r.Ema(_average.Parameters.FlatBuffers!, buffers, _stepState);
    }

    public void Dispose()
    {
        _update?.Dispose();
        _further?.Dispose();
        Graph?.Dispose(); // null where recording failed
        foreach (HostBuffer slot in _slots)
            slot.Dispose();
        _inputs.Dispose();
        _state.Dispose();
    }
}
