using Deit.Gpu;
using Deit.Model;
using Deit.Train.Distributed;
using Deit.Train.Optimizers;

namespace Deit.Train.Training;

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
    private readonly Shards? _shards;
    private readonly Dictionary<string, float[]> _gathered = []; // on rank 0: the state of all, as it was gathered or loaded last
    private readonly LossScaleOptions _lossScaling = new();

    /// <summary>Asks for the memory and clears it.</summary>
    /// <param name="parameters">The weights, with gradients.</param>
    /// <param name="optimizer">The method.</param>
    /// <param name="clipGradient">The largest norm of the gradients; null for any.</param>
    /// <param name="scalesLoss">Scales the loss, so that gradients of 16 bits keep within their range.</param>
    /// <param name="rates">The factor of the learning rate of each <see cref="Parameters.Granule"/> trained parameters; null for 1.</param>
    /// <param name="shards">The part of the weights that is updated here; null for all that are trained.</param>
    /// <exception cref="GpuException">There is not enough memory.</exception>
    public WeightUpdate(
        Parameters parameters,
        IOptimizer optimizer,
        double? clipGradient,
        bool scalesLoss,
        float[]? rates = null,
        Shards? shards = null
    )
    {
        (_parameters, _optimizer, _clipGradient, _shards) = (parameters, optimizer, clipGradient, shards);
        GpuDevice device = parameters.Device;
        int trained = parameters.FlatLength - parameters.FrozenLength;
        // A rank of very many may have no part at all, and a tensor has one element at least.
        Shape flat = [shards is null ? trained : Math.Max(shards.OwnLength, Parameters.Granule)],
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

    /// <summary>The optimiser's tensors, laid out as the parameters that are updated here.</summary>
    public IReadOnlyList<NamedTensor> State { get; }

    /// <summary>The optimiser's tensors as a checkpoint keeps them, laid out as all parameters that are trained.</summary>
    public IEnumerable<KeptValues> Kept =>
        State.Select(state =>
            _shards is null
                ? KeptValues.Of(_parameters.Device, state)
                : new KeptValues(
                    state.Name,
                    _shards.Length,
                    () => _gathered.GetValueOrDefault(state.Name) ?? new float[_shards.Length], // zero before the first update
                    values => Load(state, values)
                )
        );

    /// <summary>Gets the parts of all ranks, where each keeps one, so that <see cref="Kept"/> can be read. All ranks call it.</summary>
    /// <exception cref="DeitException">A rank has ended, or did not come in time.</exception>
    public void GatherState()
    {
        if (_shards is not null)
            foreach ((string name, Tensor tensor) in State)
            {
                float[] whole = _gathered.GetValueOrDefault(name) ?? new float[_shards.Length];
                _shards.Gather(
                    _parameters.Device.Read<float>(tensor).AsSpan(0, _shards.OwnLength),
                    whole,
                    "gathering the optimizer's state"
                );
                Keep(name, whole);
            }
    }

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
        int at = 0; // in the optimiser's tensors
        foreach (FlatRange range in _shards?.Own ?? [new FlatRange(0, (int)_parameters.Trained.Elements)])
        {
            _optimizer.Record(
                r,
                new OptimizerUpdate(
                    _parameters.Trained.Slice(range.Start, [range.Count]),
                    _parameters.FlatGradients!.Slice(range.Start, [range.Count]),
                    [.. State.Select(state => state.Tensor.Slice(at, [range.Count]))],
                    Masked(_decayMask, range),
                    Masked(_segments, range),
                    _parameters.Specs.Count - _parameters.FrozenCount,
                    stepState,
                    factor,
                    apply,
                    _rates is null ? null : Masked(_rates, range)
                )
            );
            at += range.Count;
        }
    }

    // The values of a mask for a range of parameters.
    private static Tensor Masked(Tensor mask, FlatRange range) =>
        mask.Slice(range.Start / Parameters.Granule, [range.Count / Parameters.Granule]);

    // Rank 0 alone writes it.
    private void Keep(string name, float[] whole)
    {
        if (_shards!.IsFirst)
            _gathered[name] = whole;
    }

    private void Load(NamedTensor state, float[] whole)
    {
        Keep(state.Name, whole);
        float[] own = new float[state.Tensor.Elements];
        _shards!.OwnOf(whole).CopyTo(own, 0);
        _parameters.Device.Write<float>(state.Tensor, own);
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
