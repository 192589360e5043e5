using System.Diagnostics;
using System.Runtime.InteropServices;
using Deit.Gpu;
using Deit.Model;

namespace Deit.Train;

/// <summary>One training step recorded once: forward, loss, backward, AdamW. Inputs are double-buffered, the running loss stays on the device.</summary>
internal sealed class TrainStep : IDisposable
{
    private const int Slots = 2;
    private readonly GpuDevice _device;
    private readonly INetwork _model;
    private readonly AdamWOptions _optimizer;
    private readonly ulong _seed;
    private readonly Arena _state, _inputs;
    private readonly HostBuffer[] _slots = new HostBuffer[Slots];
    private readonly Tensor _images, _labels, _stepState, _lossSum, _uploaded;
    private readonly Mixup _mixup;
    private readonly int _labelsAt, _stepStateAt, _mixStateAt;
    private int _slot;

    public TrainStep(GpuDevice device, INetwork model, TrainOptions options)
    {
        (_device, _model, _optimizer, _seed) = (device, model, options.Optimizer(), (ulong)options.Seed);
        _mixup = new Mixup(options.Mixup, options.Cutmix, options.MixupProb, options.MixupSwitchProb);
        Parameters parameters = model.Parameters;
        parameters.Train();
        int batch = options.BatchSize, length = parameters.FlatLength;
        Shape images = [batch, 3, model.InputSize, model.InputSize];
        _state = device.CreateArena("optimiser state", (2 * Arena.SizeOf(DType.F32, [[length]])) + Arena.SizeOf(DType.F32, [[length / Parameters.Granule]]));
        FirstMoment = _state.Allocate([length], name: "first moment");
        SecondMoment = _state.Allocate([length], name: "second moment");
        Tensor decayMask = _state.Allocate([length / Parameters.Granule], name: "decay mask");
        // Images, labels and the step's numbers lie one after another, so that one copy brings all three.
        _inputs = device.CreateArena("inputs", Arena.SizeOf(DType.F32, images, [batch], [64], [64], [1]));
        _images = _inputs.Allocate(images, name: "images");
        _labels = _inputs.Allocate([batch], DType.U32, "labels");
        _stepState = StepState.Allocate(_inputs);
        Tensor mixState = MixState.Allocate(_inputs);
        _lossSum = _inputs.Allocate([1], name: "loss sum");
        _labelsAt = (int)(Arena.SizeOf(DType.F32, images) / sizeof(float));
        _stepStateAt = _labelsAt + (int)(Arena.SizeOf(DType.U32, [batch]) / sizeof(uint));
        _mixStateAt = _stepStateAt + (int)(Arena.SizeOf(DType.U32, _stepState.Shape) / sizeof(uint));
        _uploaded = _inputs.At(0, [_mixStateAt + (int)mixState.Elements], name: "uploaded");
        for (int i = 0; i < Slots; i++)
            _slots[i] = device.CreateHostBuffer(_uploaded.ByteLength);
        device.Fill(_state.At(0, [(int)(_state.ByteLength / 4)]));
        device.Fill(_lossSum);

        List<string> untouched = [];
        Graph = device.Record(
            r =>
            {
                Tensor mixed = _mixup.Enabled ? r.MixImages(_images, mixState) : _images;
                NetworkOutput output = model.Forward(r, mixed, new ForwardContext { Training = true, DropPathRate = options.DropPath, StepState = _stepState });
                Tensor targets = r.SoftTargets(_labels, model.NumClasses, (float)options.Smoothing);
                if (_mixup.Enabled)
                    targets = r.MixTargets(targets, mixState);
                Tensor loss = new Distillation(DistillationType.None).Loss(r, output, null, targets);
                r.AddTo(_lossSum, loss);
                r.Tape.Backward(loss, r.Full([1], 1));
                untouched.AddRange(parameters.Specs.Select(spec => spec.Name).Where(name => !r.Tape.Reached(parameters[name])));
                Tensor? clip = options.ClipGrad is { } maximum ? r.ClipScale(parameters.FlatGradients!, (float)maximum).Coefficient : null;
                r.AdamW(parameters.Flat, parameters.FlatGradients!, FirstMoment, SecondMoment, decayMask, _stepState, _optimizer, clip);
            },
            new GraphOptions { Purpose = $"training with --batch-size {batch}" });

        // As torch.optim.AdamW: a parameter without a gradient (the distillation head when nothing is distilled) is left alone.
        float[] mask = parameters.DecayMask();
        foreach (string name in untouched)
        {
            (int start, int count) = parameters.RangeOf(name);
            mask.AsSpan(start / Parameters.Granule, (count + Parameters.Granule - 1) / Parameters.Granule).Clear();
        }
        device.Write<float>(decayMask, mask);
    }

    /// <summary>The recorded step.</summary>
    public Graph Graph { get; }

    /// <summary>AdamW's m, laid out as the parameters.</summary>
    public Tensor FirstMoment { get; }

    /// <summary>AdamW's v, laid out as the parameters.</summary>
    public Tensor SecondMoment { get; }

    /// <summary>Bytes of host memory for inputs on their way to the device.</summary>
    public long HostBytes => _slots.Sum(slot => slot.ByteLength);

    /// <summary>Host time spent in submitting, waits for the device excluded, and how often.</summary>
    public (TimeSpan Total, long Count) HostTime { get; private set; }

    /// <summary>Queues a step and returns before the device has done it.</summary>
    /// <param name="images">[B, 3, S, S], normalised.</param>
    /// <param name="labels">[B].</param>
    /// <param name="step">The number of the step since the start of the run.</param>
    /// <param name="learningRate">The learning rate in force.</param>
    public void Submit(ReadOnlySpan<float> images, ReadOnlySpan<uint> labels, long step, double learningRate)
    {
        HostBuffer slot = _slots[_slot];
        _slot = (_slot + 1) % Slots;
        Span<float> target = slot.Floats(); // waits until the step before the last has its inputs
        images.CopyTo(target);
        labels.CopyTo(MemoryMarshal.Cast<float, uint>(target[_labelsAt..]));
        long start = Stopwatch.GetTimestamp();
        StepState state = StepState.At(step, learningRate, _optimizer, _seed);
        MemoryMarshal.Write(MemoryMarshal.AsBytes(target[_stepStateAt..]), in state);
        MixState mix = _mixup.Draw(_seed, step, _model.InputSize);
        MemoryMarshal.Write(MemoryMarshal.AsBytes(target[_mixStateAt..]), in mix);
        slot.CopyTo(_uploaded);
        Graph.Submit();
        HostTime = (HostTime.Total + Stopwatch.GetElapsedTime(start), HostTime.Count + 1);
    }

    /// <summary>The sum of the losses of all steps since it was last set, kept on the device in F32; reading waits for the queued steps.</summary>
    public float LossSum
    {
        get => _device.Read<float>(_lossSum)[0];
        set => _device.Write<float>(_lossSum, [value]);
    }

    public void Dispose()
    {
        Graph.Dispose();
        foreach (HostBuffer slot in _slots)
            slot.Dispose();
        _inputs.Dispose();
        _state.Dispose();
    }
}
