using Deit.Gpu;
using Deit.Model;
using Deit.Train.Optimizers;

namespace Deit.Train.Training;

/// <summary>A tensor and the name under which a checkpoint keeps it.</summary>
/// <param name="Name">The name.</param>
/// <param name="Tensor">The tensor.</param>
internal readonly record struct NamedTensor(string Name, Tensor Tensor);

/// <summary>The update of the weights: the optimiser's tensors, the parameters that decay, and dynamic loss
/// scaling.</summary>
internal sealed class WeightUpdate : IDisposable
{
    private readonly Parameters _parameters;
    private readonly IOptimizer _optimizer;
    private readonly double? _clipGradient;
    private readonly Arena _memory;
    private readonly Tensor _decayMask,
        _segments;
    private readonly Tensor? _rates;
    private readonly LossScaleOptions _lossScaling = new();

    /// <summary>Asks for the memory and clears it.</summary>
    /// <param name="parameters">The weights, with gradients.</param>
    /// <param name="optimizer">The method.</param>
    /// <param name="clipGradient">The largest norm of the gradients; null for any.</param>
    /// <param name="scalesLoss">Scales the loss, so that gradients of 16 bits keep within their range.</param>
    /// <param name="rates">The factor of the learning rate of each <see cref="Parameters.Granule"/> trained parameters; null for 1.</param>
    /// <exception cref="GpuException">There is not enough memory.</exception>
    public WeightUpdate(
        Parameters parameters,
        IOptimizer optimizer,
        double? clipGradient,
        bool scalesLoss,
        float[]? rates = null
    )
    {
        (_parameters, _optimizer, _clipGradient) = (parameters, optimizer, clipGradient);
        GpuDevice device = parameters.Device;
        int trained = parameters.FlatLength - parameters.FrozenLength;
        Shape flat = [trained],
            mask = [trained / Parameters.Granule],
            scale = [LossScaleOp.StateElements];
        // The decay mask, the segments and, where they differ, the rates.
        IEnumerable<Shape> masks = Enumerable.Repeat(mask, rates is null ? 2 : 3);
        IReadOnlyList<string> names = optimizer.StateNames;
        _memory = device.CreateArena(
            "optimiser state",
            Arena.SizeOf(DType.F32, [.. names.Select(_ => flat), .. masks, scale])
        );
        State = [.. names.Select(name => new NamedTensor(name, _memory.Allocate(flat, name: name)))];
        _decayMask = _memory.Allocate(mask, name: "decay mask");
        _segments = _memory.Allocate(mask, DType.U32, "segments");
        Tensor lossScale = _memory.Allocate(scale, name: "loss scale");
        device.Fill(_memory.At(0, [(int)(_memory.ByteLength / sizeof(float))]));
        device.Write<uint>(_segments, Segments(parameters));
        if (rates is not null)
        {
            _rates = _memory.Allocate(mask, name: "rates");
            device.Write<float>(_rates, rates);
        }
        if (!scalesLoss)
            return;
        LossScale = lossScale;
        device.Write<float>(LossScale, [_lossScaling.Initial, 0, 0, 0]);
    }

    /// <summary>The optimiser's tensors, laid out as the parameters that are trained.</summary>
    public IReadOnlyList<NamedTensor> State { get; }

    /// <summary>The state of dynamic loss scaling, see <see cref="LossScaleOp"/>; null without.</summary>
    public Tensor? LossScale { get; }

    /// <summary>Records an update.</summary>
    /// <param name="r">The recorder.</param>
    /// <param name="stepState">The numbers of the step.</param>
    public void Record(Recorder r, Tensor stepState)
    {
        Tensor? factor = null,
            apply = null;
        if (LossScale is not null)
            (factor, apply) = r.LossScale(
                _parameters.FlatGradients!,
                LossScale,
                _lossScaling,
                (float)(_clipGradient ?? double.PositiveInfinity)
            );
        else if (_clipGradient is { } maximum)
            factor = r.ClipScale(_parameters.FlatGradients!, (float)maximum).Coefficient;
        _optimizer.Record(
            r,
            new OptimizerUpdate(
                _parameters,
                [.. State.Select(state => state.Tensor)],
                _decayMask,
                _segments,
                stepState,
                factor,
                apply,
                _rates
            )
        );
    }

    /// <summary>Sets the parameters that decay.</summary>
    /// <param name="untouched">Parameters that no gradient reaches; as in torch.optim they are left alone.</param>
    public void SetDecay(IEnumerable<string> untouched)
    {
        float[] mask = _parameters.DecayMask();
        foreach (string name in untouched)
        {
            (int start, int count) = _parameters.RangeOf(name);
            mask.AsSpan(start / Parameters.Granule, (count + Parameters.Granule - 1) / Parameters.Granule).Clear();
        }
        _parameters.Device.Write<float>(_decayMask, mask.AsSpan(_parameters.FrozenLength / Parameters.Granule));
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => _memory.Dispose();

    // The index, among those that are trained, of the parameter tensor that each granule belongs to.
    private static uint[] Segments(Parameters parameters)
    {
        int frozen = parameters.FrozenLength;
        uint[] segments = new uint[(parameters.FlatLength - frozen) / Parameters.Granule];
        for (int i = parameters.FrozenCount; i < parameters.Specs.Count; i++)
            segments
                .AsSpan((parameters.RangeOf(parameters.Specs[i].Name).Start - frozen) / Parameters.Granule)
                .Fill((uint)(i - parameters.FrozenCount));
        return segments;
    }
}
